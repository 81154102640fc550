/* LASR: convolutions over time leave a quarter of the frames of a log-mel spectrogram to conformer layers with rotary
   positions, whose residuals are weighed; a head for CTC. transformers: models/lasr/modeling_lasr.py */
#include "models/blocks/attention.h"
#include "models/blocks/conformer.h"

#include <inttypes.h>

enum { CONVOLUTIONS = 2 };

typedef struct lasr_config {
    int64_t width, layers, inner, kernel, bins, channels, reach, stride;
    am_unary_fn hidden_act;
    int bias;
    bool convolution_bias;
    double eps, parts_kept, parts_added, convolved_kept, convolved_added;
    am_attention_options attention;
    am_rope_config rope;
} lasr_config;

/* Both numbers of the list KEY. */
static void read_weights(const am_config *c, const char *key, double kept, double added, double *out_kept,
                         double *out_added)
{
    am_json value = am_json_get(c->object, key);
    *out_kept = kept;
    *out_added = added;
    if (!am_config_has(c, key)) return;
    am_json_iterator i = am_json_iterate(value);
    if (am_json_kind_of(value) != AM_JSON_ARRAY || am_json_count(value) < 2) {
        am_config_fail(c, key, "expected two numbers");
        return;
    }
    if (am_json_next(&i)) *out_kept = am_json_real(i.value, kept);
    if (am_json_next(&i)) *out_added = am_json_real(i.value, added);
}

static lasr_config read_config(const am_config *c)
{
    lasr_config r = {.width = am_config_size(c, "hidden_size", 512),
                     .layers = am_config_count(c, "num_hidden_layers", 17),
                     .inner = am_config_size(c, "intermediate_size", 2048),
                     .kernel = am_config_size(c, "conv_kernel_size", 32),
                     .bins = am_config_size(c, "num_mel_bins", 128),
                     .channels = am_config_size(c, "subsampling_conv_channels", 256),
                     .reach = am_config_size(c, "subsampling_conv_kernel_size", 5),
                     .stride = am_config_size(c, "subsampling_conv_stride", 2),
                     .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                     .bias = am_config_flag(c, "attention_bias", false) ? AM_BIAS : AM_NO_BIAS,
                     .convolution_bias = am_config_flag(c, "convolution_bias", false),
                     .eps = am_config_real(c, "layer_norm_eps", 1e-6)};
    int64_t heads = am_config_size(c, "num_attention_heads", 8);
    if (!am_config_has(c, "head_dim")) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", r.width);
    r.attention = (am_attention_options){.heads = heads,
                                         .head_dim = am_config_size(c, "head_dim", r.width / heads),
                                         .out = "o_proj",
                                         .no_q_bias = !r.bias,
                                         .no_k_bias = !r.bias,
                                         .no_v_bias = !r.bias,
                                         .no_out_bias = !r.bias};
    r.rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r.attention.head_dim, 10000, 1, 10000);
    read_weights(c, "feed_forward_residual_weights", 1.5, 0.5, &r.parts_kept, &r.parts_added);
    read_weights(c, "conv_residual_weights", 2, 1, &r.convolved_kept, &r.convolved_added);
    return r;
}

static am_value weighed(am_builder *b, am_value x, double kept, am_value h, double added)
{
    return am_add(b, am_mul_number(b, x, kept), am_mul_number(b, h, added));
}

static am_value feed_forward(am_builder *b, int index, am_value x, const lasr_config *c)
{
    const char *const norms[] = {"norm_feed_forward1", "norm_feed_forward2"};
    am_value h = am_layer_norm_no_bias(b, norms[index], x, c->eps);
    am_scope(b, "feed_forward%d", index + 1);
    h = am_linear_activation(b, "linear1", h, c->inner, c->bias, c->hidden_act);
    h = am_linear(b, "linear2", h, c->width, c->bias);
    am_end_scope(b);
    return weighed(b, x, c->parts_kept, h, c->parts_added);
}

/* x: [B, T, C], kept: BOOL [B, T] or AM_NONE */
static am_value layer(am_builder *b, am_value x, am_value kept, const lasr_config *c)
{
    x = feed_forward(b, 0, x, c);
    am_value h = am_layer_norm_no_bias(b, "norm_self_att", x, c->eps);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, &c->attention));
    am_end_scope(b);
    h = am_layer_norm_no_bias(b, "norm_conv", x, c->eps);
    am_scope(b, "conv");
    h = am_conformer_convolution(b, h, kept, c->kernel, c->convolution_bias, c->hidden_act);
    am_end_scope(b);
    x = weighed(b, x, c->convolved_kept, h, c->convolved_added);
    return am_layer_norm_no_bias(b, "norm_out", feed_forward(b, 1, x, c), c->eps);
}

/* The input input_features: [B, L, bins] -> [B, T, C]. */
static am_value subsampled(am_builder *b, const lasr_config *c)
{
    am_convolution_attributes options = {.stride = am_shape_of(c->stride)};
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 2) != c->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " bins, expected %" PRId64 " (num_mel_bins)",
                                    am_dim(b, x, 2), c->bins));
    am_scope(b, "subsampler");
    x = am_transpose(b, am_linear_activation(b, "dense_0", x, c->width, AM_BIAS, AM_RELU), 1, 2);
    x = am_unary(b, AM_RELU, am_conv(b, "conv_0", x, c->width, am_shape_of(c->reach), AM_BIAS, &options));
    x = am_unary(b, AM_RELU, am_conv(b, "conv_1", x, c->channels, am_shape_of(c->reach), AM_BIAS, &options));
    x = am_linear(b, "dense_1", am_transpose(b, x, 1, 2), c->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* The states below the scope: [B, T, C], named as hidden states. */
static am_value encode(am_builder *b, const am_config *config)
{
    lasr_config c = read_config(config);
    am_value x = subsampled(b, &c), lengths = am_attended_lengths(b), kept = AM_NONE;
    for (int i = 0; i < CONVOLUTIONS && lengths.id; i++) lengths = am_convolved_length(b, lengths, c.reach, c.stride);
    if (lengths.id) kept = am_frames_before(b, lengths, am_dim(b, x, 1));
    am_rope rope = am_rope_tables(b, &c.rope, am_dim(b, x, 1));
    c.attention.rope = &rope;
    c.attention.mask = am_padding_mask_of(b, kept);
    for (int i = 0; i < c.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, kept, &c);
        am_end_scope(b);
    }
    x = am_layer_norm_no_bias(b, "out_norm", x, c.eps);
    am_output_hidden_state(b, "hidden_states", (int)c.layers, x);
    return x;
}

static void lasr_encoder(am_builder *b)
{
    am_output(b, "last_hidden_state", encode(b, am_model_config(b)));
}

static void for_ctc(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config config = am_config_child(c, "encoder_config");
    int64_t vocab = am_config_size(c, "vocab_size", 512);
    am_scope(b, "encoder");
    am_value x = encode(b, &config);
    am_end_scope(b);
    am_scope(b, "ctc_head");
    am_value weight = am_weight(b, "weight", am_shape_of(vocab, am_dim(b, x, 2), 1));
    am_output(b, "logits", am_linear_with(b, x, am_squeeze(b, weight, 2), am_weight(b, "bias", am_shape_of(vocab))));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"LasrEncoder", lasr_encoder, "feature-extraction", 0},
    /* no task: what its tokenizer makes of the tokens that repeat is not compared with anything yet */
    {"LasrForCTC", for_ctc, NULL, 0},
    {0},
};

const am_model_type am_model_lasr = {.name = "lasr_encoder lasr_ctc", .architectures = architectures};

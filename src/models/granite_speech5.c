/* Granite Speech 5.0: conformer layers over log-mel frames that attend within blocks of them, some of which leave half
   of the frames; what the middle layer would say is added to its states. transformers:
   models/granite_speech5/modeling_granite_speech5.py */
#include "models/blocks/attention.h"
#include "models/blocks/granite_speech.h"
#include "models/blocks/speech.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */
enum { LAYERS_LIMIT = 512, CONTEXT_LIMIT = 16384 };

typedef struct encoder {
    int64_t vocab_size, width, inner, layers, heads, head_dim, bins, positions, context, kernel, expanded;
    am_unary_fn hidden_act;
    int bias;
    bool halves[LAYERS_LIMIT]; /* which layers leave half of the frames */
} encoder;

static void read_subsample_layers(const am_config *c, encoder *e)
{
    static const int64_t fallback[] = {0, 1};
    am_json list = am_json_get(c->object, "subsample_layers");
    if (!am_config_has(c, "subsample_layers")) {
        for (int i = 0; i < 2; i++) e->halves[fallback[i]] = true;
        return;
    }
    if (am_json_kind_of(list) != AM_JSON_ARRAY) am_config_fail(c, "subsample_layers", "expected a list");
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        int64_t layer = am_json_int(i.value, -1);
        if (layer >= 0 && layer < LAYERS_LIMIT) e->halves[layer] = true;
    }
}

static void check(const am_config *c, encoder *e)
{
    int64_t expansion = am_config_size(c, "conv_expansion_factor", 2);
    e->expanded = e->width <= INT32_MAX / 2 / expansion ? e->width * expansion : 1;
    if (e->width > INT32_MAX / 2 / expansion)
        am_config_fail(c, "conv_expansion_factor", "%" PRId64 " times hidden_size is too wide", expansion);
    if (e->head_dim < 1 || e->heads > INT32_MAX / e->head_dim)
        am_config_fail(c, "num_attention_heads", "%" PRId64 " do not fit hidden_size", e->heads);
    if (am_config_size(c, "num_key_value_heads", e->heads) != e->heads)
        am_config_fail(c, "num_key_value_heads", "expected num_attention_heads, %" PRId64, e->heads);
    if (e->context > e->positions || e->context > CONTEXT_LIMIT)
        am_config_fail(c, "context_size", "more than max_position_embeddings, %" PRId64 ", or %d", e->positions,
                       CONTEXT_LIMIT);
    if (e->kernel % 2 == 0) am_config_fail(c, "conv_kernel_size", "expected an odd number, found %" PRId64, e->kernel);
    if (e->layers > LAYERS_LIMIT) am_config_fail(c, "num_hidden_layers", "expected %d at most", LAYERS_LIMIT);
    if (e->bins > INT32_MAX / 4) am_config_fail(c, "num_mel_bins", "too many");
}

static encoder read_encoder(const am_config *c)
{
    encoder r = {.vocab_size = am_config_size(c, "vocab_size", 16384),
                 .width = am_config_size(c, "hidden_size", 1024),
                 .inner = am_config_size(c, "intermediate_size", 4096),
                 .layers = am_config_count(c, "num_hidden_layers", 16),
                 .heads = am_config_size(c, "num_attention_heads", 8),
                 .bins = am_config_size(c, "num_mel_bins", 80),
                 .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                 .positions = am_config_size(c, "max_position_embeddings", 512),
                 .context = am_config_size(c, "context_size", 128),
                 .kernel = am_config_size(c, "conv_kernel_size", 7),
                 .bias = am_config_flag(c, "attention_bias", true) ? AM_BIAS : AM_NO_BIAS};
    r.head_dim = am_config_size(c, "head_dim", r.width / r.heads);
    read_subsample_layers(c, &r);
    check(c, &r);
    return r;
}

/* --- layers --- */

/* x and half of what the part NAME makes of it. */
static am_value feed_forward(am_builder *b, const char *name, const char *norm, am_value x, const encoder *e)
{
    am_value h = am_layer_norm(b, norm, x, NORM_EPS);
    am_scope(b, "%s", name);
    h = am_linear_activation(b, "linear1", h, e->inner, e->bias, e->hidden_act);
    h = am_linear(b, "linear2", h, e->width, e->bias);
    am_end_scope(b);
    return am_add(b, x, am_mul_number(b, h, 0.5));
}

/* Which of the frames of N blocks of each of B rows are attended: BOOL [B * N, 1, 1, c]; mask: BOOL [B, T] or AM_NONE.
   AM_NONE where all are. */
static am_value block_mask(am_builder *b, am_value mask, int64_t B, int64_t T, int64_t N, int64_t c)
{
    if (!mask.id && N * c == T) return AM_NONE;
    if (!mask.id) {
        am_value frame = am_iota(b, AM_I32, am_shape_of(1, N * c), 1, 0, 1);
        mask = am_broadcast(b, am_binary_number(b, AM_LESS, frame, (double)T), am_shape_of(B, N * c));
    } else mask = am_cast(b, am_pad_zero(b, am_cast(b, mask, AM_I32), 1, 0, N * c - T), AM_BOOL);
    return am_reshape(b, mask, am_shape_of(B * N, 1, 1, c));
}

/* Attention within blocks of context_size frames: x: [B, T, C] -> [B, T, C]. */
static am_value attention(am_builder *b, am_value x, am_value mask, const encoder *e)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), c = e->context, N = (T + c - 1) / c;
    int64_t inner = e->heads * e->head_dim;
    am_shape blocks = am_shape_of(B * N, c, e->heads, e->head_dim);
    x = am_pad_zero(b, x, 1, 0, N * c - T);
    am_value q = am_reshape(b, am_linear(b, "q_proj", x, inner, AM_NO_BIAS), blocks);
    am_value k = am_reshape(b, am_linear(b, "k_proj", x, inner, AM_NO_BIAS), blocks);
    am_value v = am_reshape(b, am_linear(b, "v_proj", x, inner, AM_NO_BIAS), blocks);
    am_attention_options options = {.heads = e->heads,
                                    .mask = block_mask(b, mask, B, T, N, c),
                                    .bias = am_granite_distance_bias(b, q, e->positions)};
    am_value h = am_attend_cached(b, q, k, v, &options);
    h = am_slice(b, am_reshape(b, h, am_shape_of(B, N * c, inner)), 1, 0, T);
    return am_linear(b, "o_proj", h, e->width, AM_BIAS);
}

/* A gated convolution over time: x: [B, T, C] -> [B, T / stride, C]. */
static am_value convolution(am_builder *b, am_value x, am_value mask, int64_t stride, const encoder *e)
{
    int64_t C = e->expanded, half = e->kernel / 2;
    am_convolution_attributes each = {.groups = C,
                                      .stride = am_shape_of(stride),
                                      .padding_before = am_shape_of(half),
                                      .padding_after = am_shape_of(half)};
    x = am_linear(b, "pointwise_lin1", x, 2 * C, AM_BIAS);
    x = am_gated_activation(b, AM_SIGMOID, am_slice(b, x, 2, C, 2 * C), am_slice(b, x, 2, 0, C));
    x = am_transpose(b, am_zero_outside(b, x, mask), 1, 2);
    x = am_conv(b, "depthwise_conv", x, C, am_shape_of(e->kernel), AM_NO_BIAS, &each);
    x = am_unary(b, AM_SILU, am_batch_norm(b, "norm", x, NORM_EPS));
    return am_linear(b, "pointwise_lin2", am_transpose(b, x, 1, 2), e->width, AM_BIAS);
}

/* Frames side by side become their mean, an odd last one is left away: [B, T, C] -> [B, T / 2, C]. */
static am_value halved(am_builder *b, am_value x)
{
    int64_t T = am_dim(b, x, 1) / 2 * 2;
    if (T < 2) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features: too few frames"));
    return am_mul_number(b, am_add(b, am_slice_step(b, x, 1, 0, T, 2), am_slice_step(b, x, 1, 1, T, 2)), 0.5);
}

static am_value layer(am_builder *b, am_value x, am_value mask, bool halves, const encoder *e)
{
    x = feed_forward(b, "feed_forward1", "norm_feed_forward1", x, e);
    am_value h = am_layer_norm(b, "norm_self_att", x, NORM_EPS);
    am_scope(b, "self_attn");
    x = am_add(b, x, attention(b, h, mask, e));
    am_end_scope(b);
    h = am_layer_norm(b, "norm_conv", x, NORM_EPS);
    am_scope(b, "conv");
    h = convolution(b, h, mask, halves ? 2 : 1, e);
    am_end_scope(b);
    if (halves) x = halved(b, x);
    x = am_add(b, x, halves ? am_slice(b, h, 1, 0, am_dim(b, x, 1)) : h);
    x = feed_forward(b, "feed_forward2", "norm_feed_forward2", x, e);
    return am_layer_norm(b, "norm_out", x, NORM_EPS);
}

/* A frame of two is attended where both are: BOOL [B, T] -> [B, T / 2]. */
static am_value halved_mask(am_builder *b, am_value mask)
{
    int64_t T = am_dim(b, mask, 1) / 2 * 2;
    return am_binary(b, AM_LOGICAL_AND, am_slice_step(b, mask, 1, 0, T, 2), am_slice_step(b, mask, 1, 1, T, 2));
}

/* The input input_features: [B, L, 4 bins] below the scope -> [B, T, C]; *out_mask: which frames are no padding, BOOL
   [B, T], or AM_NONE. */
static am_value encode(am_builder *b, const encoder *e, am_value *out_mask)
{
    am_value x = am_input(b, "input_features", 3), mask = am_input_optional(b, "attention_mask", 2);
    if (mask.id) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    if (x.id && am_dim(b, x, 2) != 4 * e->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features of %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, x, 2), 4 * e->bins));
    x = am_zero_outside(b, am_linear(b, "input_linear", x, e->width, AM_BIAS), mask);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = layer(b, x, mask, e->halves[i], e);
        am_end_scope(b);
        if (e->halves[i] && mask.id) mask = halved_mask(b, mask);
        if (i + 1 < e->layers) am_output_hidden_state(b, "hidden_states", i + 1, x);
        if (i + 1 == e->layers / 2) {
            am_value said = am_softmax(b, am_linear(b, "out", x, e->vocab_size, AM_BIAS), 2);
            x = am_add(b, x, am_linear(b, "out_mid", said, e->width, AM_BIAS));
        }
    }
    if (e->layers > 0) am_output_hidden_state(b, "hidden_states", (int)e->layers, x);
    *out_mask = mask;
    return x;
}

static void encoder_model(am_builder *b)
{
    encoder e = read_encoder(am_model_config(b));
    am_value mask, x = encode(b, &e, &mask);
    am_output(b, "last_hidden_state", x);
    if (mask.id) am_output(b, "attention_mask", am_cast(b, mask, AM_I32));
}

/* ctc_head, which is the encoder's head of its middle layer unless the file has one of its own. */
static am_value logits_of(am_builder *b, am_value x, int64_t vocab_size)
{
    am_shape shape = am_shape_of(vocab_size, am_dim(b, x, 2));
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    if (!tied || am_has_weight(b, "ctc_head.weight")) return am_linear(b, "ctc_head", x, vocab_size, AM_BIAS);
    return am_linear_with(b, x, am_weight_absolute(b, "encoder.out.weight", shape),
                          am_weight_absolute(b, "encoder.out.bias", am_shape_of(vocab_size)));
}

static void for_ctc(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config config = am_config_child(c, "encoder_config");
    encoder e = read_encoder(&config);
    am_value unused;
    if (am_config_size(c, "vocab_size", 16384) != e.vocab_size)
        am_config_fail(c, "vocab_size", "expected that of encoder_config, %" PRId64, e.vocab_size);
    am_scope(b, "encoder");
    am_value x = encode(b, &e, &unused);
    am_end_scope(b);
    am_output(b, "logits", logits_of(b, x, e.vocab_size));
}

static const am_architecture architectures[] = {
    {"GraniteSpeech5Encoder", encoder_model, "feature-extraction", 0},
    {"GraniteSpeech5ForCTC", for_ctc, NULL, 0},
    {0},
};

const am_model_type am_model_granite_speech5 = {
    .name = "granite_speech5_encoder granite_speech5_ctc", .base_prefix = "encoder", .architectures = architectures};

/* Fun-ASR-Nano: an encoder of stacked frames whose attention has beside it a convolution over the values' neighbours
   (FSMN), and an adaptor of layers without, which put frames among the words of a text model.
   transformers: models/fun_asr_nano/modeling_fun_asr_nano.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/attention.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/speech.h"

#include <inttypes.h>
#include <math.h>

static const char marks[] = "input_features_mask";

/* Layers of the encoder or the adaptor. */
typedef struct layers {
    int64_t width, count, heads, inner, kernel; /* kernel 0: no convolution */
    am_unary_fn activation;
    double eps;
    am_value kept, mask; /* BOOL [B, T], and as attention reads it */
} layers;

static layers read_layers(const am_config *c, int64_t width, int64_t count, int64_t heads, int64_t inner)
{
    layers r = {.width = am_config_size(c, "hidden_size", width),
                .count = am_config_count(c, "num_hidden_layers", count),
                .heads = am_config_size(c, "num_attention_heads", heads),
                .inner = am_config_size(c, "intermediate_size", inner),
                .activation = am_config_activation(c, "hidden_act", AM_RELU),
                .eps = am_config_real(c, "layer_norm_eps", 1e-5)};
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.width);
    if (am_config_has(c, "head_dim") && am_config_int(c, "head_dim", 0) != r.width / r.heads)
        am_config_fail(c, "head_dim", "expected %" PRId64 ", heads of which fill hidden_size", r.width / r.heads);
    return r;
}

static void read_marks(am_builder *b, layers *o)
{
    o->kept = am_input(b, marks, 2);
    if (o->kept.id && am_dtype_of(b, o->kept) != AM_BOOL) o->kept = am_binary_number(b, AM_NOT_EQUAL, o->kept, 0);
    o->mask = am_padding_mask_of(b, o->kept);
}

/* What values: [B, T, C] and their neighbours add, those of padding being zero. */
static am_value memory(am_builder *b, am_value values, const layers *o)
{
    int64_t left = (o->kernel - 1) / 2;
    am_convolution_attributes options = {
        .groups = o->width, .padding_before = am_shape_of(left), .padding_after = am_shape_of(o->kernel - 1 - left)};
    am_value x = am_zero_outside(b, values, o->kept);
    am_value h =
        am_conv(b, "fsmn.conv", am_transpose(b, x, 1, 2), o->width, am_shape_of(o->kernel), AM_NO_BIAS, &options);
    return am_add(b, am_transpose(b, h, 1, 2), x);
}

static am_value attention(am_builder *b, am_value x, const layers *o)
{
    am_attention_options options = {.heads = o->heads, .mask = o->mask};
    am_value q = am_linear(b, "q_proj", x, o->width, AM_BIAS), k = am_linear(b, "k_proj", x, o->width, AM_BIAS),
             v = am_linear(b, "v_proj", x, o->width, AM_BIAS);
    am_value h = am_attend_cached(b, am_split_heads(b, q, o->heads), am_split_heads(b, k, o->heads),
                                  am_split_heads(b, v, o->heads), &options);
    h = am_linear(b, "o_proj", am_merge_heads(b, h), o->width, AM_BIAS);
    return o->kernel ? am_add(b, h, memory(b, v, o)) : h;
}

/* x: [B, T, C'] -> [B, T, width]; frames of another width are not added to what is made of them. */
static am_value layer(am_builder *b, am_value x, bool normed, const layers *o)
{
    am_value h = am_layer_norm(b, "input_layernorm", x, o->eps);
    am_scope(b, "self_attn");
    h = attention(b, h, o);
    am_end_scope(b);
    x = am_dim(b, x, 2) == o->width ? am_add(b, x, h) : h;
    h = am_layer_norm(b, "post_attention_layernorm", x, o->eps);
    h = am_linear_activation(b, "mlp.fc1", h, o->inner, AM_BIAS, o->activation);
    x = am_add(b, x, am_linear(b, "mlp.fc2", h, o->width, AM_BIAS));
    return normed ? am_layer_norm(b, "final_layernorm", x, o->eps) : x;
}

/* The input input_features: [B, T, bins * stacked], scaled, with positions from 1 on. */
static am_value frames(am_builder *b, const am_config *c, const layers *o)
{
    int64_t width = am_config_size(c, "num_mel_bins", 80) * am_config_size(c, "num_stacked_frames", 7);
    int64_t positions = am_config_size(c, "max_position_embeddings", 2049);
    am_value x = am_input(b, "input_features", 3);
    int64_t T = am_dim(b, x, 1);
    if (width % 2 || width < 4) am_config_fail(c, "num_stacked_frames", "expected frames of an even number, 4 or more");
    if (x.id && (am_dim(b, x, 2) != width || T + 1 > positions))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " frames of %" PRId64 " numbers, expected %" PRId64
                                    " at most, of %" PRId64,
                                    T, am_dim(b, x, 2), positions - 1, width));
    if (am_builder_failed(b) || c->root->error) return AM_NONE;
    am_value table = am_sinusoid_table(b, T + 1, width, (double)(width / 2 - 1), -1);
    return am_add(b, am_mul_number(b, x, sqrt((double)o->width)), am_slice(b, table, 0, 1, AM_SLICE_END));
}

static void fun_asr_nano_encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    layers o = read_layers(c, 512, 70, 4, 2048);
    int64_t last_of_text = o.count - am_config_count(c, "num_timestamp_prediction_layers", 20) - 1;
    o.kernel = am_config_size(c, "fsmn_kernel_size", 11);
    read_marks(b, &o);
    am_value x = frames(b, c, &o);
    for (int i = 0; i < o.count && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, i == last_of_text || i == o.count - 1, &o);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)o.count, x);
    am_output(b, "last_hidden_state", x);
}

static am_value adapted(am_builder *b, am_value x)
{
    am_config c = am_config_child(am_model_config(b), "adaptor_config");
    layers o = read_layers(&c, 1024, 2, 8, 256);
    read_marks(b, &o);
    am_scope(b, "multi_modal_projector");
    x = am_linear_activation(b, "linear_1", x, am_config_size(&c, "projector_hidden_size", 2048), AM_BIAS,
                             am_config_activation(&c, "projector_hidden_act", AM_RELU));
    x = am_linear(b, "linear_2", x, o.width, AM_BIAS);
    for (int i = 0; i < o.count && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = layer(b, x, false, &o);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

static am_audio_rows features(am_builder *b)
{
    const int64_t *lengths = am_audio_lengths(b, marks);
    am_part_outputs tower = am_audio_tower(b, "audio_tower", "audio_config", "fun_asr_nano_encoder", NULL, 0);
    return (am_audio_rows){.rows =
                               am_audio_frames(b, adapted(b, am_part_output(&tower, "last_hidden_state")), lengths)};
}

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 151646,
                                                .text_type = "qwen3",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .needs_text_config = true};

static const am_architecture architectures[] = {
    {"FunAsrNanoModel", am_audio_language_model, NULL, 0},
    {"FunAsrNanoForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"FunAsrNanoEncoder", fun_asr_nano_encoder, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_STARTS}, {0}};

const am_model_type am_model_fun_asr_nano = {.name = "fun_asr_nano fun_asr_nano_encoder",
                                             .base_prefix = "model",
                                             .architectures = architectures,
                                             .family = &family,
                                             .shaping_inputs = shaping_inputs};

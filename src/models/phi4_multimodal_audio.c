/* Phi-4 multimodal's audio tower: convolutions leave an eighth of the frames of a log-mel spectrogram to conformer
   layers with learned biases of distances. transformers: models/phi4_multimodal/modeling_phi4_multimodal.py */
#include "models/blocks/attention.h"
#include "models/blocks/speech.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { STRETCH = 500, HALVINGS_LIMIT = 16 }; /* longer sounds are heard in stretches of so many frames */

static const double NORM_EPS = 1e-5; /* not configurable */

typedef struct tower_options {
    int64_t C, inner, blocks, heads, head_dim, kernel, multiplier, bins, channels, halvings, distance, chunk,
        left_chunks;
    bool symmetric;
    am_unary_fn activation, gate, behind, subsampling; /* of the MLPs, in and behind the convolution, of subsampling */
} tower_options;

static tower_options read_options(const am_config *c)
{
    tower_options o = {.C = am_config_size(c, "hidden_size", 1024),
                       .inner = am_config_size(c, "intermediate_size", 1536),
                       .blocks = am_config_count(c, "num_blocks", 24),
                       .heads = am_config_size(c, "num_attention_heads", 16),
                       .kernel = am_config_size(c, "kernel_size", 3),
                       .multiplier = am_config_size(c, "depthwise_multiplier", 1),
                       .bins = am_config_size(c, "input_size", 80),
                       .channels = am_config_size(c, "nemo_conv_channels", 1024),
                       .distance = am_config_size(c, "bias_max_distance", 1000),
                       .symmetric = am_config_flag(c, "bias_symmetric", false),
                       .chunk = am_config_int(c, "chunk_size", -1),
                       .left_chunks = am_config_count(c, "left_chunk", 18),
                       .activation = am_config_activation(c, "activation", AM_SILU),
                       .gate = am_config_activation(c, "conv_glu_type", AM_SILU),
                       .behind = am_config_activation(c, "conv_activation", AM_SILU),
                       .subsampling = am_config_activation(c, "nemo_activation", AM_RELU)};
    static const char *const widths[] = {"ext_pw_out_channel", "depthwise_separable_out_channel"};
    int64_t reduction = am_config_size(c, "time_reduction", 8);
    while (o.halvings < HALVINGS_LIMIT && reduction >> (o.halvings + 1)) o.halvings++;
    if (reduction < 2 || reduction != (int64_t)1 << o.halvings)
        am_config_fail(c, "time_reduction", "expected a power of 2 up to %d, found %" PRId64, 1 << HALVINGS_LIMIT,
                       reduction);
    for (int i = 0; i < 2; i++)
        if (am_config_size(c, widths[i], 1024) != o.C)
            am_config_fail(c, widths[i], "expected hidden_size, %" PRId64 ", to which it is added", o.C);
    if (o.chunk == 0) am_config_fail(c, "chunk_size", "expected frames, or a number below 0 for all of them");
    if (!am_config_has(c, "head_dim")) am_config_check_divides(c, "num_attention_heads", o.heads, "hidden_size", o.C);
    o.head_dim = am_config_size(c, "head_dim", o.C / o.heads);
    return o;
}

/* --- subsampling --- */

/* conv.<index> over x: [B, C, T, F], at every other place where `halves`, else place by place. */
static am_value subsample(am_builder *b, am_value x, int index, bool halves, int64_t groups, const tower_options *o)
{
    am_shape two = am_shape_of(2, 2), one = am_shape_of(1, 1);
    am_convolution_attributes options = {.groups = groups};
    if (halves) options.stride = two, options.padding_before = options.padding_after = one;
    am_scope(b, "conv.%d", index);
    x = am_conv(b, "", x, o->channels, halves ? am_shape_of(3, 3) : one, AM_BIAS, &options);
    am_end_scope(b);
    return x;
}

/* x: [B, L, bins] -> [B, T, C] */
static am_value subsampled(am_builder *b, am_value x, const tower_options *o)
{
    if (x.id && am_dim(b, x, 2) != o->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "the sounds have %" PRId64 " bins, expected %" PRId64 " (input_size)",
                                    am_dim(b, x, 2), o->bins));
    am_scope(b, "encoder_embedding");
    x = am_sub(b, x, am_parameter(b, "global_mean", am_shape_of(o->bins), x));
    x = am_mul(b, x, am_parameter(b, "global_invstd", am_shape_of(o->bins), x));
    am_end_scope(b);
    am_scope(b, "embed");
    x = am_unary(b, o->subsampling, subsample(b, am_unsqueeze(b, x, 1), 0, true, 1, o));
    for (int i = 0; i + 1 < o->halvings && !am_builder_failed(b); i++) {
        x = subsample(b, x, 2 + 3 * i, true, o->channels, o);
        x = am_unary(b, o->subsampling, subsample(b, x, 3 + 3 * i, false, 1, o));
    }
    x = am_linear(b, "out", am_flatten(b, am_transpose(b, x, 1, 2), 2, 3), o->C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Which of T frames are no padding, of the input mask: BOOL [B, T], or AM_NONE. */
static am_value frame_mask(am_builder *b, int64_t T, const tower_options *o)
{
    if (!am_has_input(b, "mask")) return AM_NONE;
    am_value lengths = am_marked_lengths(b, "mask");
    lengths = am_add_number(b, lengths, (double)(((int64_t)1 << o->halvings) - 1));
    return am_frames_before(b, am_binary_number(b, AM_DIV, lengths, (double)((int64_t)1 << o->halvings)), T);
}

/* --- what is added to scores --- */

/* A learned row of the distance from each of T frames to each: [1, H, T, T]. */
static am_value distance_bias(am_builder *b, int64_t T, const tower_options *o)
{
    int64_t rows = o->symmetric ? o->distance : 2 * o->distance;
    int32_t *row = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *row);
    if (!row) am_builder_fail(b, am_out_of_memory());
    if (o->symmetric && T > o->distance)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " frames, of which bias_max_distance allows %" PRId64
                                    " where bias_symmetric is true",
                                    T, o->distance));
    if (am_builder_failed(b)) return AM_NONE;
    for (int64_t i = 0; i < T; i++)
        for (int64_t j = 0; j < T; j++) {
            int64_t d = j - i < -o->distance ? -o->distance : j - i >= o->distance ? o->distance - 1 : j - i;
            row[i * T + j] = (int32_t)(!o->symmetric ? d + o->distance : d < 0 ? -d : d);
        }
    am_value ids = am_constant_copy(b, AM_I32, am_shape_of(T, T), row);
    am_scope(b, "relative_attention_bias_layer");
    am_value bias = am_embedding(b, "bias_values", ids, rows, o->heads);
    am_end_scope(b);
    return am_unsqueeze(b, am_permute(b, am_cast(b, bias, AM_F32), am_shape_of(2, 0, 1)), 0);
}

/* Whether each of T frames stands in the other's chunk or in one of left_chunks before it: BOOL [T, T]. */
static am_value chunk_mask(am_builder *b, int64_t T, const tower_options *o)
{
    bool *sees = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *sees);
    if (!sees) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < T && sees; i++)
        for (int64_t j = 0; j < T; j++) {
            int64_t behind = i / o->chunk - j / o->chunk;
            sees[i * T + j] = behind >= 0 && behind <= o->left_chunks;
        }
    return sees ? am_constant_copy(b, AM_BOOL, am_shape_of(T, T), sees) : AM_NONE;
}

/* The bias of scores. Masks are added to it as 0 and 1, as transformers has them: they hide nothing.
   attended: BOOL [B, T] or AM_NONE -> [B or 1, H, T, T] */
static am_value score_bias(am_builder *b, am_value attended, int64_t T, const tower_options *o)
{
    am_value bias = distance_bias(b, T, o);
    am_value seen = attended.id ? am_unsqueeze(b, am_unsqueeze(b, attended, 1), 1) : attended;
    if (o->chunk > 0) {
        am_value chunks = chunk_mask(b, T, o);
        seen = seen.id ? am_binary(b, AM_LOGICAL_AND, seen, chunks) : chunks;
    }
    return seen.id ? am_add(b, bias, am_cast(b, seen, AM_F32)) : bias;
}

/* --- layers --- */

static am_value feed_forward(am_builder *b, const char *name, am_value x, const tower_options *o)
{
    am_scope(b, "%s", name);
    am_value h = am_linear(b, "gate_up_proj", am_layer_norm(b, "layer_norm", x, NORM_EPS), 2 * o->inner, AM_BIAS);
    h = am_gated_activation(b, o->activation, am_slice(b, h, -1, o->inner, 2 * o->inner),
                            am_slice(b, h, -1, 0, o->inner));
    h = am_linear(b, "down_proj", h, o->C, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, am_mul_number(b, h, 0.5));
}

/* A convolution NAME of one tap: x: [B, K, T] -> [B, out, T]. */
static am_value pointwise(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_conv(b, name, x, out, am_shape_of(1), AM_BIAS, &(am_convolution_attributes){0});
}

/* x: [B, T, C] -> [B, T, C]; the convolution looks back only. */
static am_value convolution(am_builder *b, am_value x, const tower_options *o)
{
    am_convolution_attributes taps = {.groups = o->C, .padding_before = am_shape_of(o->kernel - 1)};
    am_shape channels = am_shape_of(1, o->C, 1);
    am_scope(b, "conv");
    x = am_transpose(b, am_layer_norm(b, "layer_norm", x, NORM_EPS), 1, 2);
    am_scope(b, "glu");
    x = pointwise(b, "ext_pw_conv_1d", x, 2 * o->C);
    am_value up = am_add(b, am_slice(b, x, 1, 0, o->C), am_parameter(b, "b1", channels, x)),
             gate = am_add(b, am_slice(b, x, 1, o->C, 2 * o->C), am_parameter(b, "b2", channels, x));
    x = am_gated_activation(b, o->gate, gate, up);
    am_end_scope(b);
    am_scope(b, "dw_sep_conv_1d");
    x = am_conv(b, "dw_conv", x, o->C * o->multiplier, am_shape_of(o->kernel), AM_BIAS, &taps);
    x = pointwise(b, "pw_conv", x, o->C);
    am_end_scope(b);
    x = pointwise(b, "ext_pw_conv_1d", am_unary(b, o->behind, x), o->C);
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

static am_value layer(am_builder *b, am_value x, am_value bias, const tower_options *o)
{
    am_attention_options options = {.heads = o->heads, .head_dim = o->head_dim, .out = "o_proj", .bias = bias};
    x = feed_forward(b, "feed_forward_in", x, o);
    am_value h = am_layer_norm(b, "layer_norm_att", x, NORM_EPS);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, &options));
    am_end_scope(b);
    x = feed_forward(b, "feed_forward_out", am_add(b, x, convolution(b, x, o)), o);
    return am_layer_norm(b, "layer_norm", x, NORM_EPS);
}

/* x: [B, T, ..] -> [B * n, STRETCH, ..], with zeros at the end. */
static am_value in_stretches(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of_value(b, x);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t n = (shape.dims[1] + STRETCH - 1) / STRETCH;
    x = am_pad_zero(b, x, 1, 0, n * STRETCH - shape.dims[1]);
    shape.dims[0] *= n;
    shape.dims[1] = STRETCH;
    return am_reshape(b, x, shape);
}

static void audio_model(am_builder *b)
{
    tower_options o = read_options(am_model_config(b));
    am_value x = subsampled(b, am_input(b, "hidden_states", 3), &o);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_value attended = frame_mask(b, T, &o);
    if (T > STRETCH) {
        x = in_stretches(b, x);
        if (attended.id) attended = in_stretches(b, attended);
    }
    if (am_builder_failed(b)) return;
    am_value bias = score_bias(b, attended, am_dim(b, x, 1), &o);
    for (int i = 0; i < o.blocks && !am_builder_failed(b); i++) {
        am_scope(b, "encoders.%d", i);
        x = layer(b, x, bias, &o);
        am_end_scope(b);
    }
    if (T > STRETCH) x = am_slice(b, am_reshape(b, x, am_shape_of(B, -1, o.C)), 1, 0, T);
    am_output(b, "output", x);
}

static const am_architecture architectures[] = {
    {"Phi4MultimodalAudioModel", audio_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_phi4_multimodal_audio = {.name = "phi4_multimodal_audio", .architectures = architectures};

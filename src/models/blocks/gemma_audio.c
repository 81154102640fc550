#include "models/blocks/gemma_audio.h"

#include "models/blocks/gemma4_towers.h"
#include "models/blocks/limited_gates.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static void *numbers(am_builder *b, int64_t count, size_t size)
{
    void *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, size);
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

/* --- sounds --- */

typedef struct audio {
    const am_config *c;
    int64_t C, layers, heads, D, channels[2], kernel, chunk, past, future, context, out;
    am_unary_fn hidden_act;
    double residual, cap, invalid, eps, limit;
    bool clipped;
    bool is_third;                      /* Gemma 3n's; what follows is of it only */
    double group_eps;                   /* of the norms behind its convolutions */
    int64_t kernels[2][2], steps[2][2]; /* of those, over time and over bins */
    int64_t reduction;                  /* every so many-th frame is left */
    am_value positions;                 /* [distances, C] */
    am_value hidden;                    /* BOOL [B or 1, 1, blocks, chunk, context]: which keys are not seen */
    am_value spread;                    /* I32 [blocks * context]: places of padded keys */
} audio;

static const double EPS = 1e-6; /* of norms that do not read rms_norm_eps */

static void finish_sizes(const am_config *c, audio *a, const char *heads, const char *chunk)
{
    am_config_check_divides(c, heads, a->heads, "hidden_size", a->C);
    a->D = a->C / a->heads;
    if (a->chunk > 65536 || a->past > 65536 || a->kernel > 65536)
        am_config_fail(c, chunk, "windows of more than 65536 frames");
    if (a->chunk > 65536) a->chunk = 1;
    a->context = a->chunk + a->past + a->future;
}

/* How many distances the positions are of. */
static int64_t distances(const audio *a)
{
    return a->is_third ? a->past + a->future + 1 : a->context / 2 + 1;
}

static am_value linear(am_builder *b, const char *name, am_value x, int64_t out, const audio *a)
{
    return a->is_third ? am_linear(b, name, x, out, AM_NO_BIAS) : am_clipped_linear(b, name, x, out, a->clipped);
}

static const char *name_of(const audio *a, const char *third, const char *fourth)
{
    return a->is_third ? third : fourth;
}

static audio read_audio(const am_config *c)
{
    static const int64_t channels[] = {128, 32};
    audio a = {.c = c,
               .C = am_config_size(c, "hidden_size", 1024),
               .layers = am_config_count(c, "num_hidden_layers", 12),
               .heads = am_config_size(c, "num_attention_heads", 8),
               .kernel = am_config_size(c, "conv_kernel_size", 5),
               .chunk = am_config_size(c, "attention_chunk_size", 12),
               .past = am_config_size(c, "attention_context_left", 13) - 1,
               .future = am_config_count(c, "attention_context_right", 0),
               .out = am_config_size(c, "output_proj_dims", 1536),
               .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
               .residual = am_config_real(c, "residual_weight", 0.5),
               .cap = am_config_real(c, "attention_logit_cap", 50),
               .invalid = am_config_real(c, "attention_invalid_logits_value", -1e9),
               .eps = am_config_real(c, "rms_norm_eps", 1e-6),
               .limit = fmin(am_config_real(c, "gradient_clipping", 1e10), 3.4028234663852886e38),
               .clipped = am_config_flag(c, "use_clipped_linears", true)};
    if (am_config_sizes(c, "subsampling_conv_channels", a.channels, 2, channels, 2) != 2)
        am_config_fail(c, "subsampling_conv_channels", "expected a list of 2");
    finish_sizes(c, &a, "num_attention_heads", "attention_chunk_size");
    return a;
}

static void read_pairs(const am_config *c, const char *key, int64_t fallback, int64_t out[2][2])
{
    const int64_t pair[] = {fallback, fallback};
    for (int i = 0; i < 2; i++)
        if (am_config_inner_sizes(c, key, i, out[i], 2, pair, 2) != 2 || out[i][0] < 1 || out[i][1] < 1 ||
            out[i][0] > 64 || out[i][1] > 64) {
            am_config_fail(c, key, "expected two lists of two sizes of 1 to 64");
            out[i][0] = out[i][1] = 1;
        }
}

static audio read_third(const am_config *c)
{
    static const int64_t channels[] = {128, 32};
    audio a = {.c = c,
               .is_third = true,
               .C = am_config_size(c, "hidden_size", 1536),
               .layers = am_config_count(c, "conf_num_hidden_layers", 12),
               .heads = am_config_size(c, "conf_num_attention_heads", 8),
               .kernel = am_config_size(c, "conf_conv_kernel_size", 5),
               .chunk = am_config_size(c, "conf_attention_chunk_size", 12),
               .past = am_config_count(c, "conf_attention_context_left", 13),
               .future = am_config_count(c, "conf_attention_context_right", 0),
               .hidden_act = AM_SILU,
               .residual = am_config_real(c, "conf_residual_weight", 0.5),
               .cap = am_config_real(c, "conf_attention_logit_cap", 50),
               .invalid = -3.4028234663852886e38,
               .eps = am_config_real(c, "rms_norm_eps", 1e-6),
               .limit = fmin(am_config_real(c, "gradient_clipping", 1e10), 3.4028234663852886e38),
               .group_eps = am_config_real(c, "sscp_conv_group_norm_eps", 1e-3),
               .reduction = am_config_size(c, "conf_reduction_factor", 4)};
    a.past = a.past > 0 ? a.past - 1 : 0;
    if (am_config_sizes(c, "sscp_conv_channel_size", a.channels, 2, channels, 2) != 2)
        am_config_fail(c, "sscp_conv_channel_size", "expected a list of 2");
    read_pairs(c, "sscp_conv_kernel_size", 3, a.kernels);
    read_pairs(c, "sscp_conv_stride_size", 2, a.steps);
    finish_sizes(c, &a, "conf_num_attention_heads", "conf_attention_chunk_size");
    return a;
}

/* Half of the features of two convolutions, three by three and two apart; masked frames count as zeros. */
static am_value subsample(am_builder *b, const audio *a, am_value x, am_value *mask)
{
    x = am_unsqueeze(b, x, 1);
    am_scope(b, "subsample_conv_projection");
    for (int i = 0; i < 2; i++) {
        am_convolution_attributes options = {
            .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
        if (mask->id) {
            am_value seen = am_cast(b, *mask, am_dtype_of(b, x));
            x = am_mul(b, x, am_reshape(b, seen, am_shape_of(am_dim(b, seen, 0), 1, am_dim(b, seen, 1), 1)));
            *mask = am_slice_step(b, *mask, 1, 0, AM_SLICE_END, 2);
        }
        am_scope(b, "layer%d", i);
        x = am_conv(b, "conv", x, a->channels[i], am_shape_of(3, 3), AM_NO_BIAS, &options);
        x = am_layer_norm_no_bias(b, "norm", am_permute(b, x, am_shape_of(0, 2, 3, 1)), a->eps);
        x = am_unary(b, AM_RELU, am_permute(b, x, am_shape_of(0, 3, 1, 2)));
        am_end_scope(b);
    }
    x = am_flatten(b, am_permute(b, x, am_shape_of(0, 2, 3, 1)), 2, 3);
    x = am_linear(b, "input_proj_linear", x, a->C, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* A norm over all numbers of a frame and of those before it, x: [B, T, F, C], by the weight norm.weight: [C]. */
static am_value norm_so_far(am_builder *b, am_value x, double eps)
{
    int64_t T = am_dim(b, x, 1), each = am_dim(b, x, 2) * am_dim(b, x, 3);
    am_value count = am_iota(b, AM_F32, am_shape_of(1, T, 1, 1), 1, (double)each, (double)each);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(2, 3), true);
    x = am_sub(b, x, am_div(b, am_scan(b, AM_REDUCE_SUM, sum, 1, false, false), count));
    am_value squares = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x), am_shape_of(2, 3), true);
    squares = am_div(b, am_scan(b, AM_REDUCE_SUM, squares, 1, false, false), count);
    x = am_mul(b, x, am_unary(b, AM_RSQRT, am_add_number(b, squares, eps)));
    return am_mul(b, x, am_parameter(b, "norm.weight", am_shape_of(am_dim(b, x, 3)), x));
}

/* Gemma 3n's: convolutions that see frames ahead, whatever is padding: x: [B, T, bins] -> [B, T', C]; mask: BOOL [B, T]
   -> [B, T']. */
static am_value subsample_third(am_builder *b, const audio *a, am_value x, am_value *mask)
{
    int64_t step = a->steps[0][0] * a->steps[1][0], T = am_dim(b, x, 1);
    x = am_unsqueeze(b, x, 1);
    am_scope(b, "subsample_conv_projection");
    for (int i = 0; i < 2 && !am_builder_failed(b); i++) {
        am_convolution_attributes options = {.stride = am_shape_of(a->steps[i][0], a->steps[i][1]),
                                             .padding_before = am_shape_of(0, 1),
                                             .padding_after = am_shape_of(a->kernels[i][0] - 1, 1)};
        am_scope(b, "conv_%d", i);
        x = am_conv(b, "conv", x, a->channels[i], am_shape_of(a->kernels[i][0], a->kernels[i][1]), AM_NO_BIAS,
                    &options);
        x = norm_so_far(b, am_permute(b, x, am_shape_of(0, 2, 3, 1)), a->group_eps);
        x = am_unary(b, AM_RELU, am_permute(b, x, am_shape_of(0, 3, 1, 2)));
        am_end_scope(b);
    }
    x = am_flatten(b, am_permute(b, x, am_shape_of(0, 2, 3, 1)), 2, 3);
    x = am_linear(b, "input_proj_linear", x, a->C, AM_NO_BIAS);
    am_end_scope(b);
    if (am_builder_failed(b)) return AM_NONE;
    am_value places = am_iota(b, AM_I32, am_shape_of(am_dim(b, x, 1)), 0, 0, (double)step);
    *mask = am_gather(b, *mask, am_binary_number(b, AM_MIN, places, (double)(T - 1)), 1, false);
    return x;
}

/* Sines and cosines of how far back a key stands, the furthest first. */
static am_value positions(am_builder *b, const audio *a)
{
    int64_t P = distances(a), half = a->C / 2, furthest = a->is_third ? a->past : P - 1;
    float *data = numbers(b, P * 2 * half, sizeof *data);
    if (!data) return AM_NONE;
    double step = log(10000) / (double)(half - 1 > 1 ? half - 1 : 1);
    for (int64_t p = 0; p < P; p++)
        for (int64_t i = 0; i < half; i++) {
            double angle = (double)(furthest - p) * exp(-(double)i * step);
            data[p * 2 * half + i] = (float)sin(angle);
            data[p * 2 * half + half + i] = (float)cos(angle);
        }
    return am_constant_copy(b, AM_F32, am_shape_of(P, 2 * half), data);
}

/* Each chunk's context among keys padded on both sides, and which of it is not seen. */
static void read_context(am_builder *b, audio *a, int64_t T, am_value mask)
{
    int64_t blocks = (T + a->chunk - 1) / a->chunk, count = blocks * a->context;
    int32_t *at = numbers(b, count, sizeof *at);
    uint8_t *far = numbers(b, count * a->chunk, sizeof *far);
    if (!at || !far) return;
    for (int64_t n = 0; n < blocks; n++)
        for (int64_t k = 0; k < a->context; k++) {
            int64_t key = n * a->chunk + k - a->past;
            at[n * a->context + k] = (int32_t)(n * a->chunk + k);
            for (int64_t i = 0; i < a->chunk; i++) {
                int64_t back = n * a->chunk + i - key;
                bool near = a->is_third ? back <= a->past && -back <= a->future
                            : back >= 0 ? back < a->past
                                        : -back < a->future;
                far[(n * a->chunk + i) * a->context + k] = !near || key < 0 || key >= T || n * a->chunk + i >= T;
            }
        }
    a->spread = am_constant_copy(b, AM_I32, am_shape_of(count), at);
    a->hidden = am_constant_copy(b, AM_BOOL, am_shape_of(1, 1, blocks, a->chunk, a->context), far);
    if (!mask.id) return;
    am_value seen = am_pad_zero(b, am_cast(b, mask, AM_I32), 1, a->past, a->future + a->chunk * blocks - T + a->chunk);
    am_value padding = am_binary_number(b, AM_EQUAL, am_gather(b, seen, a->spread, 1, false), 0);
    padding = am_reshape(b, padding, am_shape_of(am_dim(b, mask, 0), 1, blocks, 1, a->context));
    a->hidden = am_binary(b, AM_LOGICAL_OR, a->hidden, padding);
}

/* x: [B, T, H, D] as each chunk's context: [B, H, blocks, context, D]. */
static am_value contexts(am_builder *b, am_value x, const audio *a, int64_t blocks)
{
    int64_t T = am_dim(b, x, 1);
    x = am_pad_zero(b, x, 1, a->past, a->future + a->chunk * blocks - T + a->chunk);
    x = am_gather(b, x, a->spread, 1, false);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), blocks, a->context, a->heads, a->D));
    return am_permute(b, x, am_shape_of(0, 3, 1, 2, 4));
}

/* Scores by distance: x: [B, H, blocks, chunk, P] -> [.., context]: each query's row stands one further than that of
   the one before. */
static am_value shifted(am_builder *b, am_value x, const audio *a)
{
    am_shape s = am_shape_of_value(b, x);
    int64_t P = s.dims[4];
    x = am_pad_zero(b, x, 4, 0, a->context + 1 - P);
    x = am_reshape(b, x, am_shape_of(s.dims[0], s.dims[1], s.dims[2], a->chunk * (a->context + 1)));
    x = am_slice(b, x, 3, 0, a->chunk * a->context);
    return am_reshape(b, x, am_shape_of(s.dims[0], s.dims[1], s.dims[2], a->chunk, a->context));
}

static am_value sound_heads(am_builder *b, const char *name, am_value x, const audio *a)
{
    return am_split_heads(b, linear(b, name, x, a->C, a), a->heads);
}

static am_value sound_attention(am_builder *b, am_value x, const audio *a)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), blocks = (T + a->chunk - 1) / a->chunk;
    am_value scale = am_unary(b, AM_SOFTPLUS, am_parameter(b, "per_dim_scale", am_shape_of(a->D), x));
    am_value q = am_mul(b, sound_heads(b, "q_proj", x, a), am_mul_number(b, scale, 1 / sqrt((double)a->D) / log(2)));
    am_value k = sound_heads(b, "k_proj", x, a);
    if (!a->is_third) k = am_mul_number(b, k, log(1 + exp(1)) / log(2));
    am_value v = contexts(b, sound_heads(b, "v_proj", x, a), a, blocks);
    q = am_pad_zero(b, q, 1, 0, blocks * a->chunk - T);
    q = am_permute(b, am_reshape(b, q, am_shape_of(B, blocks, a->chunk, a->heads, a->D)), am_shape_of(0, 3, 1, 2, 4));
    am_value far = am_linear(b, name_of(a, "relative_position_embedding.pos_proj", "relative_k_proj"), a->positions,
                             a->C, AM_NO_BIAS); /* [P, C] */
    far = am_permute(b, am_reshape(b, far, am_shape_of(-1, a->heads, a->D)), am_shape_of(1, 0, 2));
    far = am_reshape(b, far, am_shape_of(1, a->heads, 1, am_dim(b, far, 1), a->D));
    am_value scores = am_add(b, am_matmul(b, q, contexts(b, k, a, blocks), false, true),
                             shifted(b, am_matmul(b, q, far, false, true), a));
    scores = am_soft_cap(b, scores, a->cap);
    scores = am_select(b, a->hidden, am_scalar(b, am_dtype_of(b, scores), a->invalid), scores);
    x = am_matmul(b, am_softmax(b, scores, -1), v, false, false);
    x = am_reshape(b, am_permute(b, x, am_shape_of(0, 2, 3, 1, 4)), am_shape_of(B, blocks * a->chunk, a->C));
    return am_slice(b, x, 1, 0, T);
}

static am_value sound_mlp(am_builder *b, const char *name, am_value x, const audio *a)
{
    am_scope(b, "%s", name);
    am_value h = am_rms_norm(b, "pre_layer_norm", am_within(b, x, a->limit), EPS, 0);
    h = am_unary(b, a->hidden_act, linear(b, "ffw_layer_1", h, 4 * a->C, a));
    h = am_within(b, linear(b, "ffw_layer_2", h, a->C, a), a->limit);
    h = am_mul_number(b, am_rms_norm(b, "post_layer_norm", h, EPS, 0), a->residual);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value light_convolution(am_builder *b, am_value x, const audio *a)
{
    am_scope(b, "lconv1d");
    am_value h = am_rms_norm(b, "pre_layer_norm", x, a->eps, 0);
    h = linear(b, "linear_start", h, 2 * a->C, a);
    h = am_gated_activation(b, AM_SIGMOID, am_slice(b, h, -1, a->C, 2 * a->C), am_slice(b, h, -1, 0, a->C));
    h = am_pad_zero(b, am_transpose(b, h, 1, 2), 2, a->kernel - 1, 0);
    am_convolution_attributes options = {.groups = a->C};
    h = am_conv(b, "depthwise_conv1d", h, a->C, am_shape_of(a->kernel), AM_NO_BIAS, &options);
    h = am_rms_norm(b, "conv_norm", am_within(b, am_transpose(b, h, 1, 2), a->limit), a->eps, 0);
    h = linear(b, "linear_end", am_unary(b, a->hidden_act, h), a->C, a);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* x and what frames see of others. */
static am_value with_attention(am_builder *b, am_value x, const audio *a)
{
    if (a->is_third) am_scope(b, "attention");
    am_value h = am_within(b, x, a->limit);
    h = am_rms_norm(b, name_of(a, "pre_attn_norm", "norm_pre_attn"), h, EPS, 0);
    am_scope(b, "%s", name_of(a, "attn", "self_attn"));
    h = sound_attention(b, h, a);
    if (a->is_third) am_end_scope(b);
    h = linear(b, "post", h, a->C, a);
    if (!a->is_third) am_end_scope(b);
    h = am_within(b, h, a->limit);
    h = am_rms_norm(b, name_of(a, "post_norm", "norm_post_attn"), h, EPS, 0);
    if (a->is_third) am_end_scope(b);
    return am_add(b, x, h);
}

static am_value sound_layer(am_builder *b, am_value x, am_value mask, const audio *a)
{
    x = sound_mlp(b, name_of(a, "ffw_layer_start", "feed_forward1"), x, a);
    x = with_attention(b, x, a);
    if (a->is_third) x = am_mul(b, x, am_cast(b, am_unsqueeze(b, mask, 2), am_dtype_of(b, x)));
    x = light_convolution(b, x, a);
    x = sound_mlp(b, name_of(a, "ffw_layer_end", "feed_forward2"), x, a);
    return am_rms_norm(b, name_of(a, "norm", "norm_out"), am_within(b, x, a->limit), EPS, 0);
}

am_gemma4_sound am_gemma4_audio(am_builder *b, const am_config *c, const char *mask, bool hidden_states)
{
    audio a = read_audio(c);
    am_gemma4_sound out = {.mask = am_input_optional(b, mask, 2)};
    if (out.mask.id && am_dtype_of(b, out.mask) != AM_BOOL) out.mask = am_binary_number(b, AM_NOT_EQUAL, out.mask, 0);
    am_value x = subsample(b, &a, am_input(b, "input_features", 3), &out.mask);
    if (am_builder_failed(b)) return out;
    a.positions = positions(b, &a);
    read_context(b, &a, am_dim(b, x, 1), out.mask);
    for (int i = 0; i < a.layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = sound_layer(b, x, AM_NONE, &a);
        am_end_scope(b);
    }
    out.frames = am_linear(b, "output_proj", x, a.out, AM_BIAS);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)a.layers, out.frames);
    return out;
}

am_gemma4_sound am_gemma3n_audio(am_builder *b, const am_config *c, const am_gemma4_sound *input)
{
    audio a = read_third(c);
    am_gemma4_sound out = {.mask = input->mask};
    if (am_builder_failed(b)) return out;
    am_value x = subsample_third(b, &a, input->frames, &out.mask);
    if (am_builder_failed(b)) return out;
    a.positions = positions(b, &a);
    read_context(b, &a, am_dim(b, x, 1), out.mask);
    for (int i = 0; i < a.layers && !am_builder_failed(b); i++) {
        am_scope(b, "conformer.%d", i);
        x = sound_layer(b, x, out.mask, &a);
        am_end_scope(b);
    }
    if (a.reduction > 1) {
        x = am_slice_step(b, x, 1, 0, AM_SLICE_END, a.reduction);
        out.mask = am_slice_step(b, out.mask, 1, 0, AM_SLICE_END, a.reduction);
    }
    out.frames = am_select(b, am_unsqueeze(b, out.mask, 2), x, am_scalar(b, am_dtype_of(b, x), 0));
    return out;
}

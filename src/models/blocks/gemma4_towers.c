#include "models/blocks/gemma4_towers.h"

#include "models/blocks/limited_gates.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* x, not beyond the weight `name`, a number. */
static am_value bounded(am_builder *b, am_value x, const char *name, am_binary_fn fn)
{
    return am_binary(b, fn, x, am_cast_like(b, am_weight(b, name, (am_shape){0}), x));
}

am_value am_clipped_linear(am_builder *b, const char *name, am_value x, int64_t out, bool clipped)
{
    am_scope(b, "%s", name);
    if (clipped) x = bounded(b, bounded(b, x, "input_min", AM_MAX), "input_max", AM_MIN);
    x = am_linear(b, "linear", x, out, AM_NO_BIAS);
    if (clipped) x = bounded(b, bounded(b, x, "output_min", AM_MAX), "output_max", AM_MIN);
    am_end_scope(b);
    return x;
}

am_value am_gemma4_embed_rows(am_builder *b, const char *name, const am_config *tower, am_value x, int64_t width)
{
    am_scope(b, "%s", name);
    x = am_bare_rms_norm(b, x, am_config_real(tower, "rms_norm_eps", 1e-6));
    x = am_linear(b, "embedding_projection", x, width, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static void *numbers(am_builder *b, int64_t count, size_t size)
{
    void *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, size);
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

/* --- pictures --- */

typedef struct vision {
    const am_config *c;
    int64_t C, layers, heads, kv_heads, D, inner, patch, square, positions;
    am_unary_fn hidden_act;
    double eps, theta;
    bool clipped, standardize;
    int64_t B, N;
    const int32_t *places; /* [B, N, 2] */
    am_value mask;         /* BOOL [B, 1, 1, N] */
    am_rope across, down;
} vision;

static vision read_vision(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    vision v = {.c = c,
                .C = am_config_size(c, "hidden_size", 768),
                .layers = am_config_count(c, "num_hidden_layers", 16),
                .heads = am_config_size(c, "num_attention_heads", 12),
                .kv_heads = am_config_size(c, "num_key_value_heads", 12),
                .D = am_config_size(c, "head_dim", 64),
                .inner = am_config_size(c, "intermediate_size", 3072),
                .patch = am_config_size(c, "patch_size", 16),
                .square = am_config_size(c, "pooling_kernel_size", 3),
                .positions = am_config_size(c, "position_embedding_size", 10240),
                .hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH),
                .eps = am_config_real(c, "rms_norm_eps", 1e-6),
                .theta = am_config_real(&rope, "rope_theta", 100),
                .clipped = am_config_flag(c, "use_clipped_linears", false),
                .standardize = am_config_flag(c, "standardize", false)};
    if (strcmp(am_config_text(&rope, "rope_type", "axial"), "axial") != 0)
        am_config_unsupported(&rope, "rope_type", "only axial rotation is supported");
    am_config_check_divides(c, "num_key_value_heads", v.kv_heads, "num_attention_heads", v.heads);
    if (v.D % 4 != 0 || v.D > 4 * AM_ROPE_LIMIT || !(v.theta > 0))
        am_config_fail(c, "head_dim", "%" PRId64 " is no multiple of 4, or theta is %g", v.D, v.theta);
    if (v.square < 2 || v.square > 1 << 15)
        am_config_unsupported(c, "pooling_kernel_size", "squares of %" PRId64 " patches are not supported", v.square);
    if (v.patch > 1 << 15) am_config_fail(c, "patch_size", "%" PRId64 " is too large", v.patch);
    return v;
}

static bool is_padding(const vision *v, int64_t i)
{
    return v->places[2 * i] == -1 && v->places[2 * i + 1] == -1;
}

/* The places of all patches; those of padding are -1. */
static void read_places(am_builder *b, vision *v, const char *name)
{
    am_value given = am_input(b, name, 3);
    int64_t count = v->B * v->N;
    int32_t *data = numbers(b, 2 * count, sizeof *data);
    bool fits = am_dim(b, given, 0) == v->B && am_dim(b, given, 1) == v->N && am_dim(b, given, 2) == 2;
    if (!fits)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s does not tell two places of each of %" PRId64 " patches",
                                    name, count));
    for (int64_t i = 0; i < 2 * count && !am_builder_failed(b); i++) {
        int64_t place = am_shaping_number(b, name, i);
        if (place < -1 || place >= v->positions)
            am_builder_fail(b,
                            am_error(AM_OUT_OF_RANGE, "%s: place %" PRId64 " of %" PRId64, name, place, v->positions));
        data[i] = (int32_t)place;
    }
    v->places = am_builder_failed(b) ? NULL : data;
}

/* Places along one axis as I32 [B, N], not below `least`. */
static am_value along(am_builder *b, const vision *v, int axis, int32_t least)
{
    int32_t *data = numbers(b, v->B * v->N, sizeof *data);
    if (!data) return AM_NONE;
    for (int64_t i = 0; i < v->B * v->N; i++) {
        int32_t place = v->places[2 * i + axis];
        data[i] = place < least ? least : place;
    }
    return am_constant_copy(b, AM_I32, am_shape_of(v->B, v->N), data);
}

static am_rope rope_of(am_builder *b, const vision *v, int axis)
{
    am_rope_config r = {.type = AM_ROPE_DEFAULT, .theta = v->theta, .attention_factor = 1, .factor = 1};
    r.dims = v->D / 2;
    r.pairs = v->D / 4;
    for (int64_t i = 0; i < r.pairs; i++)
        r.inverse_frequency[i] = (double)(float)pow(v->theta, -2.0 * (double)i / (double)r.dims);
    return am_rope_tables_at(b, &r, along(b, v, axis, -1));
}

static void prepare(am_builder *b, vision *v)
{
    uint8_t *seen = numbers(b, v->B * v->N, sizeof *seen);
    for (int64_t i = 0; seen && i < v->B * v->N; i++) seen[i] = !is_padding(v, i);
    if (seen) v->mask = am_constant_copy(b, AM_BOOL, am_shape_of(v->B, 1, 1, v->N), seen);
    v->across = rope_of(b, v, 0);
    v->down = rope_of(b, v, 1);
}

/* x: [B, N, ..] with zeros in place of padding. */
static am_value without_padding(am_builder *b, am_value x, const vision *v)
{
    am_value seen = am_reshape(b, v->mask, am_shape_of(v->B, v->N, 1));
    return am_select(b, seen, x, am_scalar(b, am_dtype_of(b, x), 0));
}

/* Patches with what stands for their places. */
static am_value embed(am_builder *b, am_value pixels, const vision *v)
{
    am_scope(b, "patch_embedder");
    am_value x = am_mul_number(b, am_add_number(b, pixels, -0.5), 2);
    x = am_linear(b, "input_proj", x, v->C, AM_NO_BIAS);
    am_value table = am_weight(b, "position_embedding_table", am_shape_of(2, v->positions, v->C));
    am_value places = am_add(b, am_embedding_op(b, am_index(b, table, 0, 0), along(b, v, 0, 0)),
                             am_embedding_op(b, am_index(b, table, 0, 1), along(b, v, 1, 0)));
    am_end_scope(b);
    return am_add(b, x, without_padding(b, places, v));
}

static am_value norm(am_builder *b, const char *name, am_value x, const vision *v)
{
    return am_rms_norm(b, name, x, v->eps, 0);
}

static am_value heads(am_builder *b, const char *name, am_value x, int64_t count, const vision *v)
{
    return am_split_heads(b, am_clipped_linear(b, name, x, count * v->D, v->clipped), count);
}

/* Half of each head turns by where the patch stands across, half by where it stands down. */
static am_value turned(am_builder *b, am_value x, const vision *v)
{
    return am_concat2(b, am_rope_apply(b, &v->across, am_slice(b, x, -1, 0, v->D / 2)),
                      am_rope_apply(b, &v->down, am_slice(b, x, -1, v->D / 2, v->D)), -1);
}

static am_value attention(am_builder *b, am_value x, const vision *v)
{
    am_scope(b, "self_attn");
    am_value q = turned(b, norm(b, "q_norm", heads(b, "q_proj", x, v->heads, v), v), v),
             k = turned(b, norm(b, "k_norm", heads(b, "k_proj", x, v->kv_heads, v), v), v),
             value = am_bare_rms_norm(b, heads(b, "v_proj", x, v->kv_heads, v), v->eps);
    am_attention_inputs in = {.q = q, .k = k, .v = value, .mask = v->mask};
    x = am_merge_heads(b, am_attention_op(b, &in, &(am_attention_attributes){.scale = 1}));
    x = am_clipped_linear(b, "o_proj", x, v->C, v->clipped);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const vision *v)
{
    am_scope(b, "mlp");
    am_value gate = am_clipped_linear(b, "gate_proj", x, v->inner, v->clipped),
             up = am_clipped_linear(b, "up_proj", x, v->inner, v->clipped);
    x = am_clipped_linear(b, "down_proj", am_gated_activation(b, v->hidden_act, gate, up), v->C, v->clipped);
    am_end_scope(b);
    return x;
}

static am_value layer_of(am_builder *b, am_value x, const vision *v)
{
    am_value h = attention(b, norm(b, "input_layernorm", x, v), v);
    x = am_add(b, x, norm(b, "post_attention_layernorm", h, v));
    h = mlp(b, norm(b, "pre_feedforward_layernorm", x, v), v);
    return am_add(b, x, norm(b, "post_feedforward_layernorm", h, v));
}

/* Where each patch's square is among the rows of all pictures: I32 [B * N]; squares without patches are left out.
 *out_rows: how many rows. Padding counts for the first square, to which it adds nothing. */
static am_value squares(am_builder *b, const vision *v, int64_t *out_rows)
{
    int64_t length = v->N / (v->square * v->square), rows = 0;
    int32_t *at = numbers(b, v->B * v->N, sizeof *at), *row = numbers(b, length, sizeof *row);
    if (!at || !row || length * v->square * v->square != v->N) {
        am_config_fail(v->c, "pooling_kernel_size", "%" PRId64 " patches are no squares of %" PRId64, v->N, v->square);
        return AM_NONE;
    }
    for (int64_t i = 0; i < v->B && !am_builder_failed(b); i++) {
        const int32_t *p = v->places + 2 * i * v->N;
        int64_t width = 0;
        for (int64_t n = 0; n < v->N; n++) width = p[2 * n] + 1 > width ? p[2 * n] + 1 : width;
        memset(row, 0, (size_t)length * sizeof *row);
        for (int64_t n = 0; n < v->N; n++) {
            int64_t x = p[2 * n] < 0 ? 0 : p[2 * n], y = p[2 * n + 1] < 0 ? 0 : p[2 * n + 1];
            int64_t square = x / v->square + (width < 1 ? 1 : width) / v->square * (y / v->square);
            if (square >= length) {
                am_builder_fail(
                    b, am_error(AM_OUT_OF_RANGE, "picture %" PRId64 " has more than %" PRId64 " squares", i, length));
                return AM_NONE;
            }
            at[i * v->N + n] = (int32_t)square;
            row[square] = 1;
        }
        for (int64_t k = 0; k < length; k++) row[k] = row[k] ? (int32_t)rows++ : -1;
        for (int64_t n = 0; n < v->N; n++) at[i * v->N + n] = row[at[i * v->N + n]];
    }
    *out_rows = rows;
    return am_constant_copy(b, AM_I32, am_shape_of(v->B * v->N), at);
}

/* Means of squares of patches x: [B, N, C], those of padding being zeros, as large as sqrt(C): [rows, C]. */
static am_value pool(am_builder *b, am_value x, const vision *v)
{
    int64_t rows = 0;
    am_value at = squares(b, v, &rows);
    if (!at.id) return AM_NONE;
    am_value patches = am_flatten(b, without_padding(b, x, v), 0, 1),
             zeros = am_broadcast(b, am_scalar(b, am_dtype_of(b, x), 0), am_shape_of(rows, v->C));
    am_value sums = am_scatter(b, zeros, at, patches, &(am_scatter_attributes){.axis = 0, .fn = AM_SCATTER_ADD});
    x = am_mul_number(b, sums, sqrt((double)v->C) / (double)(v->square * v->square));
    if (!v->standardize) return x;
    am_value bias = am_parameter(b, "std_bias", am_shape_of(v->C), x),
             scale = am_parameter(b, "std_scale", am_shape_of(v->C), x);
    return am_mul(b, am_sub(b, x, bias), scale);
}

am_value am_gemma4_vision(am_builder *b, const am_config *c, const char *pixels, const char *places, bool hidden_states)
{
    vision v = read_vision(c);
    am_value x = am_input(b, pixels, 3);
    v.B = am_dim(b, x, 0);
    v.N = am_dim(b, x, 1);
    read_places(b, &v, places);
    if (am_builder_failed(b) || !v.places) return AM_NONE;
    prepare(b, &v);
    x = embed(b, x, &v);
    am_scope(b, "encoder");
    for (int i = 0; i < v.layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer_of(b, x, &v);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = pool(b, x, &v);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)v.layers, x);
    return x;
}

/* --- sounds --- */

typedef struct audio {
    const am_config *c;
    int64_t C, layers, heads, D, channels[2], kernel, chunk, past, future, context, out;
    am_unary_fn hidden_act;
    double residual, cap, invalid, eps, limit;
    bool clipped;
    am_value positions; /* [context / 2 + 1, C] */
    am_value hidden;    /* BOOL [B or 1, 1, blocks, chunk, context]: which keys are not seen */
    am_value spread;    /* I32 [blocks * context]: places of padded keys */
} audio;

static const double EPS = 1e-6; /* of norms that do not read rms_norm_eps */

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
    am_config_check_divides(c, "num_attention_heads", a.heads, "hidden_size", a.C);
    a.D = a.C / a.heads;
    if (a.chunk > 65536 || a.past > 65536 || a.kernel > 65536)
        am_config_fail(c, "attention_chunk_size", "windows of more than 65536 frames");
    if (a.chunk > 65536) a.chunk = 1;
    a.context = a.chunk + a.past + a.future;
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

/* Sines and cosines of how far back a key stands, the furthest first. */
static am_value positions(am_builder *b, const audio *a)
{
    int64_t P = a->context / 2 + 1, half = a->C / 2;
    float *data = numbers(b, P * 2 * half, sizeof *data);
    if (!data) return AM_NONE;
    double step = log(10000) / (double)(half - 1 > 1 ? half - 1 : 1);
    for (int64_t p = 0; p < P; p++)
        for (int64_t i = 0; i < half; i++) {
            double angle = (double)(P - 1 - p) * exp(-(double)i * step);
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
                bool near = back >= 0 ? back < a->past : -back < a->future;
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
    return am_split_heads(b, am_clipped_linear(b, name, x, a->C, a->clipped), a->heads);
}

static am_value sound_attention(am_builder *b, am_value x, const audio *a)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), blocks = (T + a->chunk - 1) / a->chunk;
    am_value scale = am_unary(b, AM_SOFTPLUS, am_parameter(b, "per_dim_scale", am_shape_of(a->D), x));
    am_value q = am_mul(b, sound_heads(b, "q_proj", x, a), am_mul_number(b, scale, 1 / sqrt((double)a->D) / log(2)));
    am_value k = am_mul_number(b, sound_heads(b, "k_proj", x, a), log(1 + exp(1)) / log(2));
    am_value v = contexts(b, sound_heads(b, "v_proj", x, a), a, blocks);
    q = am_pad_zero(b, q, 1, 0, blocks * a->chunk - T);
    q = am_permute(b, am_reshape(b, q, am_shape_of(B, blocks, a->chunk, a->heads, a->D)), am_shape_of(0, 3, 1, 2, 4));
    am_value far = am_linear(b, "relative_k_proj", a->positions, a->C, AM_NO_BIAS); /* [P, C] */
    far = am_permute(b, am_reshape(b, far, am_shape_of(-1, a->heads, a->D)), am_shape_of(1, 0, 2));
    far = am_reshape(b, far, am_shape_of(1, a->heads, 1, am_dim(b, far, 1), a->D));
    am_value scores = am_add(b, am_matmul(b, q, contexts(b, k, a, blocks), false, true),
                             shifted(b, am_matmul(b, q, far, false, true), a));
    scores = am_soft_cap(b, scores, a->cap);
    scores = am_select(b, a->hidden, am_scalar(b, am_dtype_of(b, scores), a->invalid), scores);
    x = am_matmul(b, am_softmax(b, scores, -1), v, false, false);
    x = am_reshape(b, am_permute(b, x, am_shape_of(0, 2, 3, 1, 4)), am_shape_of(B, blocks * a->chunk, a->C));
    return am_clipped_linear(b, "post", am_slice(b, x, 1, 0, T), a->C, a->clipped);
}

static am_value sound_mlp(am_builder *b, const char *name, am_value x, const audio *a)
{
    am_scope(b, "%s", name);
    am_value h = am_rms_norm(b, "pre_layer_norm", am_within(b, x, a->limit), EPS, 0);
    h = am_unary(b, a->hidden_act, am_clipped_linear(b, "ffw_layer_1", h, 4 * a->C, a->clipped));
    h = am_within(b, am_clipped_linear(b, "ffw_layer_2", h, a->C, a->clipped), a->limit);
    h = am_mul_number(b, am_rms_norm(b, "post_layer_norm", h, EPS, 0), a->residual);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value light_convolution(am_builder *b, am_value x, const audio *a)
{
    am_scope(b, "lconv1d");
    am_value h = am_rms_norm(b, "pre_layer_norm", x, a->eps, 0);
    h = am_clipped_linear(b, "linear_start", h, 2 * a->C, a->clipped);
    h = am_gated_activation(b, AM_SIGMOID, am_slice(b, h, -1, a->C, 2 * a->C), am_slice(b, h, -1, 0, a->C));
    h = am_pad_zero(b, am_transpose(b, h, 1, 2), 2, a->kernel - 1, 0);
    am_convolution_attributes options = {.groups = a->C};
    h = am_conv(b, "depthwise_conv1d", h, a->C, am_shape_of(a->kernel), AM_NO_BIAS, &options);
    h = am_rms_norm(b, "conv_norm", am_within(b, am_transpose(b, h, 1, 2), a->limit), a->eps, 0);
    h = am_clipped_linear(b, "linear_end", am_unary(b, a->hidden_act, h), a->C, a->clipped);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value sound_layer(am_builder *b, am_value x, const audio *a)
{
    x = sound_mlp(b, "feed_forward1", x, a);
    am_value h = am_rms_norm(b, "norm_pre_attn", am_within(b, x, a->limit), EPS, 0);
    am_scope(b, "self_attn");
    h = sound_attention(b, h, a);
    am_end_scope(b);
    x = am_add(b, x, am_rms_norm(b, "norm_post_attn", am_within(b, h, a->limit), EPS, 0));
    x = sound_mlp(b, "feed_forward2", light_convolution(b, x, a), a);
    return am_rms_norm(b, "norm_out", am_within(b, x, a->limit), EPS, 0);
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
        x = sound_layer(b, x, &a);
        am_end_scope(b);
    }
    out.frames = am_linear(b, "output_proj", x, a.out, AM_BIAS);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)a.layers, out.frames);
    return out;
}

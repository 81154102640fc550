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

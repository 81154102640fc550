/* ESMFold (Lin et al. 2023): ESM's hidden states, mixed, start a representation of each residue, s: [B, T, C]. A trunk
   of blocks works on it and on one of each pair of residues, z: [B, T, T, Z], by attention and by triangles (AlphaFold
   2's Evoformer without its alignments); a structure module moves a rigid frame for each residue, by attention that
   rotating and moving all of them does not change; torsion angles place the atoms. All of it runs several times, from
   what came out of the time before. transformers: models/esm/modeling_esmfold.py

   Frames are matrices of homogeneous coordinates [.., 4, 4] where they are composed; points stand as columns. */
#include "models/blocks/amino_acids.h"
#include "models/blocks/attention.h"
#include "models/esm.h"

#include <math.h>
#include <string.h>

static const double norm_eps = 1e-5;

enum { DISTANCE_BINS = 64, LDDT_BINS = 50, RECYCLE_BINS = 15, ESM_TOKENS = AM_RESIDUES + 2 };

/* What is the same throughout a run. */
typedef struct fold {
    am_config fold, trunk, structure;
    int64_t B, T, C, Z;
    am_value residues; /* I32 [B, T]: the amino acids */
    am_value places;   /* I32 [B, T]: their numbers in the chain */
    am_value mask;     /* F32 [B, T]: one where a residue is */
    am_value pairs;    /* F32 [B, T, T]: one where both are */
    am_value frames;   /* F32 [B, T, 8, 4, 4]: of the residues' groups, each within that before it */
    am_value groups;   /* F32 [B, T, 14, 8]: which group an atom belongs to */
    am_value atoms;    /* F32 [B, T, 14, 4, 1]: where it is in the group's frame */
} fold;

/* --- tables of amino acids --- */

static am_value table(am_builder *b, const fold *f, am_dtype dtype, am_shape shape, const void *data)
{
    return am_gather(b, am_constant_copy(b, dtype, shape, data), f->residues, 0, false);
}

static void read_tables(am_builder *b, fold *f)
{
    am_amino_acids t;
    am_amino_acids_fill(&t);
    f->frames = table(b, f, AM_F32, am_shape_of(AM_RESIDUES, AM_RIGID_GROUPS, 4, 4), t.frames);
    f->groups = table(b, f, AM_F32, am_shape_of(AM_RESIDUES, AM_ATOMS, AM_RIGID_GROUPS), t.groups);
    f->atoms = table(b, f, AM_F32, am_shape_of(AM_RESIDUES, AM_ATOMS, 4, 1), t.positions);
}

static void output_atoms(am_builder *b, const fold *f)
{
    am_amino_acids t;
    am_amino_acids_fill(&t);
    am_shape own = am_shape_of(AM_RESIDUES, AM_ATOMS), all = am_shape_of(AM_RESIDUES, AM_ATOM_TYPES);
    am_value attended = am_unsqueeze(b, f->mask, 2);
    am_output(b, "aatype", f->residues);
    am_output(b, "atom14_atom_exists", am_mul(b, table(b, f, AM_F32, own, t.has_atom), attended));
    am_output(b, "residx_atom14_to_atom37", table(b, f, AM_I32, own, t.type_of_atom));
    am_output(b, "residx_atom37_to_atom14", table(b, f, AM_I32, all, t.atom_of_type));
    am_output(b, "atom37_atom_exists", am_mul(b, table(b, f, AM_F32, all, t.has_type), attended));
    am_output(b, "residue_index", f->places);
}

/* --- small pieces --- */

static am_value gate(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_linear_activation(b, name, x, out, AM_BIAS, AM_SIGMOID);
}

/* The layers NAME.0 (norm), NAME.1, relu, NAME.3. */
static am_value norm_and_mlp(am_builder *b, const char *name, am_value x, int64_t inner, int64_t out)
{
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "1", am_layer_norm(b, "0", x, norm_eps), inner, AM_BIAS, AM_RELU);
    x = am_linear(b, "3", x, out, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Every product of an element of x: [B, T, M] and one of y: [B, T, N], summed by a table [M * N, K]: [B, T, K]. */
static am_value bilinear(am_builder *b, am_value x, am_value y, int64_t K, const float *table_data)
{
    am_value products = am_flatten(b, am_mul(b, am_unsqueeze(b, x, 3), am_unsqueeze(b, y, 2)), 2, 3);
    am_value sums = am_constant_copy(b, AM_F32, am_shape_of(am_dim(b, products, 2), K), table_data);
    return am_matmul(b, products, sums, false, false);
}

/* --- trunk --- */

/* Attention among residues, with a bias a head from each pair: s: [B, T, C]. */
static am_value attend_residues(am_builder *b, const fold *f, am_value s, am_value z)
{
    int64_t heads = f->C / am_config_size(&f->trunk, "sequence_head_width", 32);
    am_value bias = am_layer_norm(b, "pair_to_sequence.layernorm", z, norm_eps), qkv[3];
    bias = am_linear(b, "pair_to_sequence.linear", bias, heads, AM_NO_BIAS);
    am_value x = am_layer_norm(b, "layernorm_1", s, norm_eps);
    am_split_fused(b, am_linear(b, "seq_attention.proj", x, 3 * f->C, AM_NO_BIAS), heads, true, qkv);
    am_attention_options o = {.mask = am_padding_mask_of(b, f->mask),
                              .bias = am_permute(b, bias, am_shape_of(0, 3, 1, 2))};
    am_value y = am_attend(b, qkv[0], qkv[1], qkv[2], &o);
    y = am_mul(b, gate(b, "seq_attention.g_proj", x, f->C), y);
    return am_add(b, s, am_linear(b, "seq_attention.o_proj", y, f->C, AM_BIAS));
}

/* Products and differences of the residues of each pair: [B, T, T, Z]. */
static am_value pairs_of_residues(am_builder *b, const fold *f, am_value s)
{
    int64_t inner = f->Z / 2;
    am_scope(b, "sequence_to_pair");
    am_value x = am_linear(b, "proj", am_layer_norm(b, "layernorm", s, norm_eps), 2 * inner, AM_BIAS);
    am_value q = am_unsqueeze(b, am_slice(b, x, 2, 0, inner), 1);
    am_value k = am_unsqueeze(b, am_slice(b, x, 2, inner, AM_SLICE_END), 2);
    am_value z = am_concat2(b, am_mul(b, q, k), am_sub(b, q, k), 3);
    z = am_linear(b, "o_proj", z, f->Z, AM_BIAS);
    am_end_scope(b);
    return z;
}

/* One side of a triangle by its name, "a" or "b", from normed z: [B, Z, T, T]. */
static am_value triangle_side(am_builder *b, const fold *f, am_value z, char side)
{
    char gated[] = "linear_?_g", plain[] = "linear_?_p";
    gated[7] = plain[7] = side;
    am_value x = am_mul(b, am_unsqueeze(b, f->pairs, 3), gate(b, gated, z, f->Z));
    x = am_mul(b, x, am_linear(b, plain, z, f->Z, AM_BIAS));
    return am_permute(b, x, am_shape_of(0, 3, 1, 2));
}

/* What a pair gets from the two other sides of its triangles, edges going out (i k, j k) or coming in (k i, k j). */
static am_value multiply_triangles(am_builder *b, const fold *f, const char *name, am_value z, bool outgoing)
{
    am_scope(b, "%s", name);
    z = am_layer_norm(b, "layer_norm_in", z, norm_eps);
    am_value x = am_matmul(b, triangle_side(b, f, z, 'a'), triangle_side(b, f, z, 'b'), !outgoing, outgoing);
    x = am_layer_norm(b, "layer_norm_out", am_permute(b, x, am_shape_of(0, 2, 3, 1)), norm_eps);
    x = am_mul(b, am_linear(b, "linear_z", x, f->Z, AM_BIAS), gate(b, "linear_g", z, f->Z));
    am_end_scope(b);
    return x;
}

/* The pairs of one protein with one first residue attend to each other, x: [T, T, Z], with a bias for each two second
   residues, [1, H, T, T]: their own pair's. pairs: [T, T]. */
static am_value attend_triangles_of(am_builder *b, am_value x, am_value bias, am_value pairs)
{
    am_attention_options o = {.heads = am_dim(b, bias, 1),
                              .q = "linear_q",
                              .k = "linear_k",
                              .v = "linear_v",
                              .out = "",
                              .no_q_bias = true,
                              .no_k_bias = true,
                              .no_v_bias = true,
                              .mask = am_padding_mask_of(b, pairs),
                              .bias = bias};
    return am_self_attention(b, x, &o);
}

static am_value attend_triangles(am_builder *b, const fold *f, const char *name, am_value z, bool starting)
{
    int64_t heads = f->Z / am_config_size(&f->trunk, "pairwise_head_width", 32);
    am_value *rows = am_arena_array(am_builder_arena(b), (size_t)f->B, sizeof *rows);
    if (!rows) return AM_NONE;
    am_scope(b, "%s", name);
    am_value x = am_layer_norm(b, "layer_norm", starting ? z : am_transpose(b, z, 1, 2), norm_eps);
    am_value bias = am_permute(b, am_linear(b, "linear", x, heads, AM_NO_BIAS), am_shape_of(0, 3, 1, 2));
    am_scope(b, "mha");
    for (int64_t i = 0; i < f->B; i++) /* one by one, as the bias would be repeated for every first residue else */
        rows[i] = am_unsqueeze(
            b,
            attend_triangles_of(b, am_index(b, x, 0, i), am_slice(b, bias, 0, i, i + 1), am_index(b, f->pairs, 0, i)),
            0);
    am_value y = am_mul(b, am_concat(b, rows, (int)f->B, 0), gate(b, "linear_g", x, f->Z));
    y = am_linear(b, "linear_o", y, f->Z, AM_BIAS);
    am_end_scope(b);
    am_end_scope(b);
    return starting ? y : am_transpose(b, y, 1, 2);
}

static void trunk_block(am_builder *b, const fold *f, am_value *s, am_value *z)
{
    *s = attend_residues(b, f, *s, *z);
    *s = am_add(b, *s, norm_and_mlp(b, "mlp_seq.mlp", *s, 4 * f->C, f->C));
    *z = am_add(b, *z, pairs_of_residues(b, f, *s));
    *z = am_add(b, *z, multiply_triangles(b, f, "tri_mul_out", *z, true));
    *z = am_add(b, *z, multiply_triangles(b, f, "tri_mul_in", *z, false));
    *z = am_add(b, *z, attend_triangles(b, f, "tri_att_start", *z, true));
    *z = am_add(b, *z, attend_triangles(b, f, "tri_att_end", *z, false));
    *z = am_add(b, *z, norm_and_mlp(b, "mlp_pair.mlp", *z, 4 * f->Z, f->Z));
}

/* How far apart the residues of each pair stand in the chain, up to position_bins, embedded: [B, T, T, Z]. */
static am_value relative_positions(am_builder *b, const fold *f)
{
    double bins = (double)am_config_size(&f->trunk, "position_bins", 32);
    am_value apart = am_sub(b, am_unsqueeze(b, f->places, 1), am_unsqueeze(b, f->places, 2));
    apart = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, apart, -bins), bins);
    apart = am_mul(b, am_add_number(b, apart, bins + 1), am_cast(b, f->pairs, AM_I32));
    return am_embedding(b, "pairwise_positional_embedding.embedding", apart, 2 * (int64_t)bins + 2, f->Z);
}

/* --- frames --- */

/* Of every residue: a rotation, [B, T, 3, 3], as a unit quaternion too, [B, T, 4], and a translation [B, T, 3]. */
typedef struct rigid {
    am_value rotation, quaternion, translation;
} rigid;

static am_value rotation_of(am_builder *b, const fold *f, am_value quaternion)
{
    static const float sums[16][9] = {
        {1, 0, 0, 0, 1, 0, 0, 0, 1},
        {0, 0, 0, 0, 0, -2, 0, 2, 0},
        {0, 0, 2, 0, 0, 0, -2, 0, 0},
        {0, -2, 0, 2, 0, 0, 0, 0, 0},
        {0},
        {1, 0, 0, 0, -1, 0, 0, 0, -1},
        {0, 2, 0, 2, 0, 0, 0, 0, 0},
        {0, 0, 2, 0, 0, 0, 2, 0, 0},
        {0},
        {0},
        {-1, 0, 0, 0, 1, 0, 0, 0, -1},
        {0, 0, 0, 0, 0, 2, 0, 2, 0},
        {0},
        {0},
        {0},
        {-1, 0, 0, 0, -1, 0, 0, 0, 1},
    };
    return am_reshape(b, bilinear(b, quaternion, quaternion, 9, sums[0]), am_shape_of(f->B, f->T, 3, 3));
}

static rigid identity(am_builder *b, const fold *f)
{
    static const float one[4] = {1, 0, 0, 0};
    am_value quaternion = am_constant_copy(b, AM_F32, am_shape_of(1, 1, 4), one);
    quaternion = am_broadcast(b, quaternion, am_shape_of(f->B, f->T, 4));
    return (rigid){.rotation = rotation_of(b, f, quaternion),
                   .quaternion = quaternion,
                   .translation = am_iota(b, AM_F32, am_shape_of(f->B, f->T, 3), 2, 0, 0)};
}

/* Points [B, T, 3, P] of each frame, in common coordinates. */
static am_value to_global(am_builder *b, const rigid *r, am_value points)
{
    return am_add(b, am_matmul(b, r->rotation, points, false, false), am_unsqueeze(b, r->translation, 3));
}

static am_value to_local(am_builder *b, const rigid *r, am_value points)
{
    return am_matmul(b, r->rotation, am_sub(b, points, am_unsqueeze(b, r->translation, 3)), true, false);
}

/* Moves each frame by a step within it, [B, T, 6]: the rotation of the quaternion (1, x, y, z), and a translation. */
static rigid move(am_builder *b, const fold *f, const rigid *r, am_value step)
{
    static const float product[12][4] = {{0, 1, 0, 0}, {0, 0, 1, 0},  {0, 0, 0, 1},  {-1, 0, 0, 0},
                                         {0, 0, 0, 1}, {0, 0, -1, 0}, {0, 0, 0, -1}, {-1, 0, 0, 0},
                                         {0, 1, 0, 0}, {0, 0, 1, 0},  {0, -1, 0, 0}, {-1, 0, 0, 0}};
    am_value turn = am_slice(b, step, 2, 0, 3), shift = am_unsqueeze(b, am_slice(b, step, 2, 3, 6), 3);
    am_value q = am_add(b, r->quaternion, bilinear(b, r->quaternion, turn, 4, product[0]));
    am_value length = am_unary(b, AM_SQRT, am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, q)));
    q = am_div(b, q, length);
    return (rigid){
        .rotation = rotation_of(b, f, q), .quaternion = q, .translation = am_squeeze(b, to_global(b, r, shift), 3)};
}

/* [B, T, 4, 4], the translation multiplied by `scale`. */
static am_value matrix_of(am_builder *b, const fold *f, const rigid *r, double scale)
{
    static const float last[4] = {0, 0, 0, 1};
    am_value row = am_constant_copy(b, AM_F32, am_shape_of(1, 1, 1, 4), last);
    am_value column = am_unsqueeze(b, am_mul_number(b, r->translation, scale), 3);
    return am_concat2(b, am_concat2(b, r->rotation, column, 3), am_broadcast(b, row, am_shape_of(f->B, f->T, 1, 4)), 2);
}

/* --- structure module --- */

/* Points that s: [B, T, C] speaks of, in common coordinates: [B, T, 3, H, P]. */
static am_value points(am_builder *b, const char *name, am_value s, const rigid *r, int64_t heads, int64_t P)
{
    int64_t B = am_dim(b, s, 0), T = am_dim(b, s, 1);
    am_value x = am_reshape(b, am_linear(b, name, s, 3 * heads * P, AM_BIAS), am_shape_of(B, T, 3, heads * P));
    return am_reshape(b, to_global(b, r, x), am_shape_of(B, T, 3, heads, P));
}

/* Minus half the weighted sum of squared distances between points of queries and of keys, [B, T, 3, H, P]: [B, T, T, H]
   with the weights of the heads. */
static am_value nearness(am_builder *b, am_value q, am_value k)
{
    int64_t heads = am_dim(b, q, 3), P = am_dim(b, q, 4);
    am_value squares = am_unary(b, AM_SQUARE, am_sub(b, am_unsqueeze(b, q, 2), am_unsqueeze(b, k, 1)));
    am_value weights = am_unary(b, AM_SOFTPLUS, am_weight(b, "head_weights", am_shape_of(heads)));
    weights = am_mul_number(b, weights, -0.5 * sqrt(1.0 / (3 * ((double)P * 9 / 2))));
    return am_mul(b, am_reduce(b, AM_REDUCE_SUM, squares, am_shape_of(3, 5), false), weights);
}

/* What a residue reads of the points of others, a: [B, H, T, T], v: [B, T, 3, H, P], in its own frame: [B, T, 3, H P].
 */
static am_value read_points(am_builder *b, am_value a, am_value v, const rigid *r)
{
    am_shape s = am_shape_of_value(b, v);
    int64_t B = s.dims[0], T = s.dims[1], heads = s.dims[3], P = s.dims[4];
    am_value columns = am_reshape(b, am_permute(b, v, am_shape_of(0, 3, 1, 2, 4)), am_shape_of(B, heads, T, 3 * P));
    am_value x = am_reshape(b, am_matmul(b, a, columns, false, false), am_shape_of(B, heads, T, 3, P));
    x = am_reshape(b, am_permute(b, x, am_shape_of(0, 2, 3, 1, 4)), am_shape_of(B, T, 3, heads * P));
    return to_local(b, r, x);
}

/* Invariant point attention (AlphaFold 2, algorithm 22): s: [B, T, C], z: [B, T, T, Z]. */
static am_value point_attention(am_builder *b, const fold *f, am_value s, am_value z, const rigid *r)
{
    const am_config *c = &f->structure;
    int64_t heads = am_config_size(c, "num_heads_ipa", 12), D = am_config_size(c, "ipa_dim", 16);
    int64_t P = am_config_size(c, "num_qk_points", 4), V = am_config_size(c, "num_v_points", 8);
    am_value q = am_split_heads(b, am_linear(b, "linear_q", s, heads * D, AM_BIAS), heads);
    am_value kv = am_split_heads(b, am_linear(b, "linear_kv", s, 2 * heads * D, AM_BIAS), heads);
    am_value k = am_slice(b, kv, 3, 0, D), v = am_slice(b, kv, 3, D, AM_SLICE_END);
    am_value q_points = points(b, "linear_q_points", s, r, heads, P);
    am_value kv_points = points(b, "linear_kv_points", s, r, heads, P + V);

    am_value a = am_matmul(b, am_transpose(b, q, 1, 2), am_transpose(b, k, 1, 2), false, true);
    am_value bias = am_mul_number(b, am_linear(b, "linear_b", z, heads, AM_BIAS), sqrt(1.0 / 3));
    bias = am_add(b, bias, nearness(b, q_points, am_slice(b, kv_points, 4, 0, P)));
    a = am_add(b, am_mul_number(b, a, sqrt(1.0 / (3 * (double)D))), am_permute(b, bias, am_shape_of(0, 3, 1, 2)));
    am_value hidden = am_mul_number(b, am_add_number(b, f->pairs, -1), am_config_real(c, "inf", 1e5));
    a = am_softmax(b, am_add(b, a, am_unsqueeze(b, hidden, 1)), -1);

    am_value scalars = am_transpose(b, am_matmul(b, a, am_transpose(b, v, 1, 2), false, false), 1, 2);
    am_value seen = read_points(b, a, am_slice(b, kv_points, 4, P, AM_SLICE_END), r);
    am_value lengths = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, seen), am_shape_of(2), false);
    lengths = am_unary(b, AM_SQRT, am_add_number(b, lengths, am_config_real(c, "epsilon", 1e-8)));
    am_value of_pairs = am_matmul(b, am_transpose(b, a, 1, 2), z, false, false);
    am_value all[] = {am_flatten(b, scalars, 2, 3), am_flatten(b, seen, 2, 3), lengths, am_flatten(b, of_pairs, 2, 3)};
    return am_linear(b, "linear_out", am_concat(b, all, 4, 2), am_dim(b, s, 2), AM_BIAS);
}

static am_value transition(am_builder *b, const fold *f, am_value s)
{
    int64_t layers = am_config_count(&f->structure, "num_transition_layers", 1), C = am_dim(b, s, 2);
    am_scope(b, "transition");
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        am_value x = am_linear_activation(b, "linear_1", s, C, AM_BIAS, AM_RELU);
        x = am_linear_activation(b, "linear_2", x, C, AM_BIAS, AM_RELU);
        s = am_add(b, am_linear(b, "linear_3", x, C, AM_BIAS), s);
        am_end_scope(b);
    }
    s = am_layer_norm(b, "layer_norm", s, norm_eps);
    am_end_scope(b);
    return s;
}

/* Sine and cosine of a residue's torsion angles, not normalized: [B, T, 7, 2]. */
static am_value torsions(am_builder *b, const fold *f, am_value s, am_value s_initial)
{
    const am_config *c = &f->structure;
    int64_t width = am_config_size(c, "resnet_dim", 128), blocks = am_config_count(c, "num_resnet_blocks", 2);
    int64_t angles = am_config_size(c, "num_angles", 7);
    if (angles != AM_RIGID_GROUPS - 1)
        am_config_unsupported(c, "num_angles", "residues have %d angles", AM_RIGID_GROUPS - 1);
    am_scope(b, "angle_resnet");
    am_value x = am_linear(b, "linear_initial", am_unary(b, AM_RELU, s_initial), width, AM_BIAS);
    x = am_add(b, am_linear(b, "linear_in", am_unary(b, AM_RELU, s), width, AM_BIAS), x);
    for (int i = 0; i < blocks && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        am_value y = am_linear_activation(b, "linear_1", am_unary(b, AM_RELU, x), width, AM_BIAS, AM_RELU);
        x = am_add(b, am_linear(b, "linear_2", y, width, AM_BIAS), x);
        am_end_scope(b);
    }
    x = am_linear(b, "linear_out", am_unary(b, AM_RELU, x), 2 * angles, AM_BIAS);
    am_end_scope(b);
    return am_reshape(b, x, am_shape_of(f->B, f->T, angles, 2));
}

/* Unit vectors of x along the last dimension. */
static am_value normalized(am_builder *b, am_value x, double eps)
{
    am_value square = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x));
    return am_div(b, x, am_unary(b, AM_SQRT, am_binary_number(b, AM_MAX, square, eps)));
}

/* Frames of all groups in common coordinates, [B, T, 8, 4, 4]: each turns about its x axis by its angle, [B, T, 7, 2];
   the backbone does not, and groups 5 to 7 stand on the one before. */
static am_value group_frames(am_builder *b, const fold *f, am_value backbone, am_value angles)
{
    static const float none[2] = {0, 1}, fixed[16] = {[0] = 1, [15] = 1};
    static const float turning[16][2] = {[5] = {0, 1}, [6] = {-1, 0}, [9] = {1, 0}, [10] = {0, 1}};
    am_value still =
        am_broadcast(b, am_constant_copy(b, AM_F32, am_shape_of(1, 1, 1, 2), none), am_shape_of(f->B, f->T, 1, 2));
    am_value turns =
        am_linear_with(b, am_concat2(b, still, angles, 2), am_constant_copy(b, AM_F32, am_shape_of(16, 2), turning),
                       am_constant_copy(b, AM_F32, am_shape_of(16), fixed));
    turns = am_reshape(b, turns, am_shape_of(f->B, f->T, AM_RIGID_GROUPS, 4, 4));
    am_value local = am_matmul(b, f->frames, turns, false, false), parts[AM_RIGID_GROUPS];
    for (int i = 0; i < AM_RIGID_GROUPS; i++) {
        parts[i] = am_slice(b, local, 2, i, i + 1);
        if (i > 4) parts[i] = am_matmul(b, parts[i - 1], parts[i], false, false);
    }
    return am_matmul(b, am_unsqueeze(b, backbone, 2), am_concat(b, parts, AM_RIGID_GROUPS, 2), false, false);
}

/* Where the atoms are, [B, T, 14, 3]. */
static am_value atom_positions(am_builder *b, const fold *f, am_value frames)
{
    am_value own = am_matmul(b, f->groups, am_flatten(b, frames, 3, 4), false, false);
    own = am_reshape(b, own, am_shape_of(f->B, f->T, AM_ATOMS, 4, 4));
    return am_slice(b, am_squeeze(b, am_matmul(b, own, f->atoms, false, false), 4), 3, 0, 3);
}

/* What a block of the structure module says, in the order of the outputs. */
enum { FRAMES, SIDECHAIN_FRAMES, UNNORMALIZED_ANGLES, ANGLES, POSITIONS, STATES, PARTS };

static am_value structure_block(am_builder *b, const fold *f, am_value s, am_value s_initial, am_value z, rigid *r,
                                am_value *out[PARTS])
{
    const am_config *c = &f->structure;
    double scale = am_config_real(c, "trans_scale_factor", 10);
    am_scope(b, "ipa");
    s = am_add(b, s, point_attention(b, f, s, z, r));
    am_end_scope(b);
    s = transition(b, f, am_layer_norm(b, "layer_norm_ipa", s, norm_eps));
    *r = move(b, f, r, am_linear(b, "bb_update.linear", s, 6, AM_BIAS));
    am_value angles = torsions(b, f, s, s_initial), unit = normalized(b, angles, am_config_real(c, "epsilon", 1e-8));
    am_value frames = group_frames(b, f, matrix_of(b, f, r, scale), unit);
    am_value said[PARTS] = {am_concat2(b, r->quaternion, am_mul_number(b, r->translation, scale), 2),
                            frames,
                            angles,
                            unit,
                            atom_positions(b, f, frames),
                            s};
    for (int i = 0; i < PARTS; i++) *out[i]++ = am_unsqueeze(b, said[i], 0);
    return s;
}

/* All blocks: each of `out` is stacked over them, as [blocks, B, T, ..]. */
static void structure_module(am_builder *b, const fold *f, am_value s, am_value z, am_value out[PARTS])
{
    int64_t blocks = am_config_count(&f->structure, "num_blocks", 8);
    am_value *said = am_arena_array(am_builder_arena(b), PARTS * (size_t)blocks + 1, sizeof *said), *next[PARTS];
    if (!said) return;
    for (int i = 0; i < PARTS; i++) next[i] = said + i * blocks;
    s = am_linear(b, "trunk2sm_s", s, am_config_size(&f->structure, "sequence_dim", 384), AM_BIAS);
    z = am_linear(b, "trunk2sm_z", z, am_config_size(&f->structure, "pairwise_dim", 128), AM_BIAS);
    am_scope(b, "structure_module");
    am_value s_initial = am_layer_norm(b, "layer_norm_s", s, norm_eps);
    z = am_layer_norm(b, "layer_norm_z", z, norm_eps);
    s = am_linear(b, "linear_in", s_initial, am_dim(b, s, 2), AM_BIAS);
    rigid r = identity(b, f);
    for (int64_t i = 0; i < blocks && !am_builder_failed(b); i++) s = structure_block(b, f, s, s_initial, z, &r, next);
    am_end_scope(b);
    for (int i = 0; i < PARTS; i++) out[i] = am_concat(b, said + i * blocks, (int)blocks, 0);
}

/* --- recycling --- */

/* Bins of the squared distances between the C beta that the backbones of positions, [B, T, 14, 3], would have: [B, T,
 * T]. */
static am_value distance_bins(am_builder *b, am_value positions)
{
    am_value n = am_index(b, positions, 2, 0), ca = am_index(b, positions, 2, 1), c = am_index(b, positions, 2, 2);
    am_value to_ca = am_sub(b, ca, n), to_c = am_sub(b, c, ca), normal[3];
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        normal[i] = am_sub(b, am_mul(b, am_slice(b, to_ca, 2, j, j + 1), am_slice(b, to_c, 2, k, k + 1)),
                           am_mul(b, am_slice(b, to_ca, 2, k, k + 1), am_slice(b, to_c, 2, j, j + 1)));
    }
    am_value beta =
        am_add(b, am_mul_number(b, am_concat(b, normal, 3, 2), -0.58273431), am_mul_number(b, to_ca, 0.56802827));
    beta = am_add(b, am_add(b, beta, am_mul_number(b, to_c, -0.54067466)), ca);
    am_value apart = am_sub(b, am_unsqueeze(b, beta, 1), am_unsqueeze(b, beta, 2));
    apart = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, apart), am_shape_of(3), false);
    am_value bounds = am_iota(b, AM_F32, am_shape_of(RECYCLE_BINS - 1), 0, 3.375, 18.0 / (RECYCLE_BINS - 2));
    return am_search_sorted(b, am_unary(b, AM_SQUARE, bounds), apart, false);
}

/* The trunk and the structure module, several times. Gives s, z and the parts of the last time. */
static void recycle(am_builder *b, const fold *f, am_value s_0, am_value *s, am_value *z, am_value out[PARTS])
{
    int64_t blocks = am_config_count(&f->trunk, "num_blocks", 48);
    int64_t times = am_model_argument(b, "num_recycles", am_config_count(&f->trunk, "max_recycles", 4) - 1) + 1;
    if (times < 1)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "num_recycles or max_recycles: nothing would be computed"));
    *s = am_mul_number(b, s_0, 0);
    *z = am_iota(b, AM_F32, am_shape_of(f->B, f->T, f->T, f->Z), 3, 0, 0);
    am_value bins = am_iota(b, AM_I32, am_shape_of(f->B, f->T, f->T), 2, 0, 0), places = relative_positions(b, f);
    for (int64_t i = 0; i < times && !am_builder_failed(b); i++) {
        *s = am_add(b, s_0, am_layer_norm(b, "recycle_s_norm", *s, norm_eps));
        *z = am_add(b, am_layer_norm(b, "recycle_z_norm", *z, norm_eps),
                    am_embedding(b, "recycle_disto", bins, RECYCLE_BINS, f->Z));
        *z = am_add(b, *z, places);
        for (int j = 0; j < blocks && !am_builder_failed(b); j++) {
            am_scope(b, "blocks.%d", j);
            trunk_block(b, f, s, z);
            am_end_scope(b);
        }
        structure_module(b, f, *s, *z, out);
        bins = distance_bins(b, am_index(b, out[POSITIONS], 0, -1));
    }
}

/* --- language model --- */

/* Place of a token in vocab_list, that of ESM-2 where the configuration has none. */
static int64_t esm_token(const am_config *c, const char *token)
{
    static const char *const esm_2[] = {
        "<cls>", "<pad>", "<eos>", "<unk>", "L", "A", "G", "V", "S", "E", "R", "T", "I", "D", "P",        "K",     "Q",
        "N",     "F",     "Y",     "M",     "H", "W", "C", "X", "B", "U", "Z", "O", ".", "-", "<null_1>", "<mask>"};
    bool given = am_config_has(c, "vocab_list");
    for (int i = 0; given || i < (int)(sizeof esm_2 / sizeof *esm_2); i++) {
        const char *name = given ? am_config_list_text(c, "vocab_list", i) : esm_2[i];
        if (!name) break;
        if (strcmp(name, token) == 0) return i;
    }
    am_config_fail(c, "vocab_list", "\"%s\" is not in it", token);
    return 0;
}

/* ESM's tokens of the residues between <cls> and <eos>, padding after it: I32 [B, T + 2]. */
static am_value esm_tokens(am_builder *b, const fold *f)
{
    const am_config *c = am_model_config(b);
    double eos = (double)esm_token(c, "<eos>"), pad = (double)esm_token(c, "<pad>");
    am_value of_residue = am_weight_integers(b, "af2_to_esm", am_shape_of(AM_RESIDUES + 1));
    am_value attended = am_binary_number(b, AM_EQUAL, f->mask, 1);
    am_value ids = am_mul(b, am_add_number(b, f->residues, 1), am_cast(b, attended, AM_I32));
    am_value parts[] = {am_iota(b, AM_I32, am_shape_of(f->B, 1), 1, (double)esm_token(c, "<cls>"), 0),
                        am_gather(b, of_residue, ids, 0, false), am_iota(b, AM_I32, am_shape_of(f->B, 1), 1, pad, 0)};
    ids = am_concat(b, parts, 3, 1);
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, 1), AM_I32);
    am_value length = am_reduce(b, AM_REDUCE_SUM, real, am_shape_of(1), true);
    am_value at_end = am_binary(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(1, f->T + 2), 1, 0, 1), length);
    return am_select(b, at_end, am_scalar(b, AM_I32, eos), ids);
}

/* ESM's hidden states, weighted and summed, through an mlp: [B, T, C]. */
static am_value language_model(am_builder *b, const fold *f)
{
    int64_t layers = am_config_count(am_model_config(b), "num_hidden_layers", 12);
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *states), x = AM_NONE;
    am_value ids = esm_tokens(b, f);
    if (!states) return AM_NONE;
    am_esm_body(
        b, "esm",
        &(am_esm_text){.ids = ids, .attended = am_binary_number(b, AM_NOT_EQUAL, ids, 1), .out_states = states});
    am_value weights = am_softmax(b, am_weight(b, "esm_s_combine", am_shape_of(layers + 1)), 0);
    for (int64_t i = 0; i <= layers && !am_builder_failed(b); i++) {
        am_value weighed = am_mul(b, states[i], am_slice(b, weights, 0, i, i + 1));
        x = x.id ? am_add(b, x, weighed) : weighed;
    }
    if (am_config_flag(&f->fold, "esm_ablate_sequence", false)) x = am_mul_number(b, x, 0);
    return norm_and_mlp(b, "esm_s_mlp", am_slice(b, x, 1, 1, f->T + 1), f->C, f->C);
}

/* --- heads --- */

/* How good the last structure's atoms are thought to be: expected lDDT of [blocks, B, T, C] states. */
static void output_lddt(am_builder *b, const fold *f, am_value states)
{
    int64_t inner = am_config_size(&f->fold, "lddt_head_hid_dim", 128), blocks = am_dim(b, states, 0);
    am_scope(b, "lddt_head");
    am_value x = am_linear(b, "1", am_layer_norm(b, "0", states, norm_eps), inner, AM_BIAS);
    x = am_linear(b, "3", am_linear(b, "2", x, inner, AM_BIAS), AM_ATOM_TYPES * LDDT_BINS, AM_BIAS);
    am_end_scope(b);
    x = am_reshape(b, x, am_shape_of(blocks, f->B, f->T, AM_ATOM_TYPES, LDDT_BINS));
    am_value centers = am_iota(b, AM_F32, am_shape_of(LDDT_BINS, 1), 0, 0.5 / LDDT_BINS, 1.0 / LDDT_BINS);
    am_value chances = am_softmax(b, am_index(b, x, 0, -1), -1);
    am_output(b, "lddt_head", x);
    am_output(b, "plddt", am_squeeze(b, am_matmul(b, chances, centers, false, false), 4 - 1));
}

/* Chances of the error of each pair's distance, its expectation, and the TM-score that follows. */
static void output_aligned_error(am_builder *b, const fold *f, am_value z)
{
    double step = 31.0 / (DISTANCE_BINS - 2), first = step / 2, last = first + step * (DISTANCE_BINS - 1);
    double scale = 1.24 * cbrt((double)(f->T > 19 ? f->T : 19) - 15) - 1.8;
    am_value logits = am_linear(b, "ptm_head", z, DISTANCE_BINS, AM_BIAS), chances = am_softmax(b, logits, -1);
    am_value centers = am_iota(b, AM_F32, am_shape_of(DISTANCE_BINS, 1), 0, first, step);
    am_value scores = am_add_number(b, am_mul_number(b, am_unary(b, AM_SQUARE, centers), 1 / (scale * scale)), 1);
    scores = am_squeeze(b, am_matmul(b, chances, am_unary(b, AM_RECIPROCAL, scores), false, false), 3);
    scores = am_reduce(b, AM_REDUCE_MEAN, scores, am_shape_of(2), false);
    am_output(b, "ptm_logits", logits);
    am_output(b, "ptm", am_reduce(b, AM_REDUCE_MAX, scores, am_shape_of(0, 1), false));
    am_output(b, "aligned_confidence_probs", chances);
    am_output(b, "predicted_aligned_error", am_squeeze(b, am_matmul(b, chances, centers, false, false), 3));
    am_output(b, "max_predicted_aligned_error", am_scalar(b, AM_F32, last));
}

static void output_heads(am_builder *b, const fold *f, am_value s, am_value z, const am_value parts[PARTS])
{
    static const char *const names[PARTS] = {"frames", "sidechain_frames", "unnormalized_angles",
                                             "angles", "positions",        "states"};
    for (int i = 0; i < PARTS; i++) am_output(b, names[i], parts[i]);
    am_output(b, "s_s", s);
    am_output(b, "s_z", z);
    am_value distances = am_linear(b, "distogram_head", z, DISTANCE_BINS, AM_BIAS);
    distances = am_mul_number(b, am_add(b, distances, am_transpose(b, distances, 1, 2)), 0.5);
    am_output(b, "distogram_logits", distances);
    am_output(b, "lm_logits", am_linear(b, "lm_head", s, ESM_TOKENS, AM_BIAS));
    output_atoms(b, f);
    output_lddt(b, f, parts[STATES]);
    output_aligned_error(b, f, z);
}

/* --- the class --- */

static void check_config(const fold *f)
{
    am_config_check_divides(&f->trunk, "sequence_head_width", am_config_size(&f->trunk, "sequence_head_width", 32),
                            "sequence_state_dim", f->C);
    am_config_check_divides(&f->trunk, "pairwise_head_width", am_config_size(&f->trunk, "pairwise_head_width", 32),
                            "pairwise_state_dim", f->Z);
    am_config_check_divides(&f->trunk, "2", 2, "pairwise_state_dim", f->Z);
    static const char *const unsupported[] = {"use_esm_attn_map", "bypass_lm"};
    for (int i = 0; i < 2; i++)
        if (am_config_flag(&f->fold, unsupported[i], false))
            am_config_unsupported(&f->fold, unsupported[i], "true is not supported");
}

static fold start(am_builder *b)
{
    fold f = {.fold = am_config_child(am_model_config(b), "esmfold_config"), .residues = am_input(b, "input_ids", 2)};
    f.trunk = am_config_child(&f.fold, "trunk");
    f.structure = am_config_child(&f.trunk, "structure_module");
    f.B = am_dim(b, f.residues, 0);
    f.T = am_dim(b, f.residues, 1);
    f.C = am_config_size(&f.trunk, "sequence_state_dim", 1024);
    f.Z = am_config_size(&f.trunk, "pairwise_state_dim", 128);
    f.places = am_broadcast(b, am_position_ids(b, f.T), am_shape_of(f.B, f.T));
    am_value mask = am_input_optional(b, "attention_mask", 2);
    f.mask = mask.id ? am_cast(b, mask, AM_F32) : am_iota(b, AM_F32, am_shape_of(f.B, f.T), 1, 1, 0);
    f.pairs = am_mul(b, am_unsqueeze(b, f.mask, 2), am_unsqueeze(b, f.mask, 1));
    read_tables(b, &f);
    check_config(&f);
    return f;
}

void am_esm_for_protein_folding(am_builder *b)
{
    fold f = start(b);
    am_value s_0 = language_model(b, &f), s = s_0, z = AM_NONE, parts[PARTS] = {{0}};
    if (am_config_flag(&f.fold, "embed_aa", true))
        s_0 = am_add(b, s_0, am_embedding(b, "embedding", f.residues, ESM_TOKENS, f.C));
    am_scope(b, "trunk");
    recycle(b, &f, s_0, &s, &z, parts);
    am_end_scope(b);
    output_heads(b, &f, s, z, parts);
}

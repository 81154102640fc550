/* LongT5: T5 whose encoder sees a text in blocks: a token attends to those at most local_radius away and, where the
   attention is transient-global, to the sums of fixed blocks of the text. transformers:
   models/longt5/modeling_longt5.py */
#include "models/blocks/blocks.h"
#include "models/blocks/t5.h"

#include <string.h>

typedef struct longt5 {
    am_attention_options options; /* mask and bias: [B n or 1, H or 1, L, 3 L + G] */
    int64_t L;                    /* tokens of a block */
    int64_t G, size;              /* sums of blocks (0: none), each of so many tokens */
    am_value sums;                /* I32 [B, T]: where a token is summed; G: nowhere */
    const char *attention;        /* name below layer.0 */
} longt5;

/* The input attention_mask, or ones: BOOL [B, T]. */
static am_value seen_tokens(am_builder *b, int64_t B, int64_t T)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) mask = am_iota(b, AM_I32, am_shape_of(B, T), 1, 1, 0);
    return am_dtype_of(b, mask) == AM_BOOL ? mask : am_binary_number(b, AM_NOT_EQUAL, mask, 0);
}

/* x: [B, T, ..] in blocks, each with its neighbours, zeros beyond the text: [B, n, 3 L, ..] */
static am_value windows(am_builder *b, am_value x, int64_t L)
{
    return am_block_windows(b, am_pad_zero(b, am_split_blocks(b, x, L), 1, 1, 1));
}

/* Places of keys minus places of queries: I32 [L, 3 L] */
static am_value distances(am_builder *b, int64_t L)
{
    return am_sub(b, am_iota(b, AM_I32, am_shape_of(1, 3 * L), 1, (double)-L, 1),
                  am_iota(b, AM_I32, am_shape_of(L, 1), 0, 0, 1));
}

/* BOOL [B, n, L, 3 L]: both tokens seen and near each other */
static am_value local_mask(am_builder *b, am_value seen, int64_t L)
{
    am_value near = am_binary_number(b, AM_LESS, am_unary(b, AM_ABS, distances(b, L)), (double)L);
    am_value query = am_unsqueeze(b, am_split_blocks(b, seen, L), 3), key = am_unsqueeze(b, windows(b, seen, L), 2);
    return am_binary(b, AM_LOGICAL_AND, am_binary(b, AM_LOGICAL_AND, query, key), near);
}

/* From a table of block 0, whose biases serve all: [.., H] */
static am_value distance_bias(am_builder *b, const am_t5_config *c, const longt5 *l, const char *table,
                              am_value distance)
{
    am_scope(b, "block.0.layer.0.%s", l->attention);
    am_value bias = am_t5_distance_bias(b, c, table, distance, true);
    am_end_scope(b);
    return bias;
}

/* [1, 1, H, L, 3 L] */
static am_value local_bias(am_builder *b, const am_t5_config *c, const longt5 *l)
{
    am_value bias =
        am_permute(b, distance_bias(b, c, l, "relative_attention_bias", distances(b, l->L)), am_shape_of(2, 0, 1));
    return am_unsqueeze(b, am_unsqueeze(b, bias, 0), 0);
}

/* --- sums of blocks, which all tokens may attend to --- */

/* The sum of each token, -1 where it is not seen: I32 [B, T]. Tokens behind the last whole block belong to that.
   transformers counts blocks in floats: the same, but for sizes of some dozens that are no power of two. */
static am_value block_ids(am_builder *b, am_value seen, int64_t size)
{
    am_value place = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, seen, 1)), 1, 0, 1);
    am_value ends = am_binary_number(b, AM_EQUAL, am_binary_number(b, AM_MOD, place, (double)size), (double)(size - 1));
    am_value whole = am_cast(b, am_binary(b, AM_LOGICAL_AND, seen, ends), AM_I32);
    am_value last = am_add_number(b, am_reduce(b, AM_REDUCE_SUM, whole, am_shape_of(1), true), -1);
    am_value block = am_select(b, seen, am_binary_number(b, AM_DIV, place, (double)size), am_scalar(b, AM_I32, -1));
    return am_binary(b, AM_MIN, block, last);
}

/* BOOL [B, n, L, G]: sums that there are for tokens that are seen; the others look at those that there are not. */
static am_value side_mask(am_builder *b, am_value seen, am_value ids, const longt5 *l)
{
    am_value last = am_reduce(b, AM_REDUCE_MAX, ids, am_shape_of(1), true);
    am_value exists = am_binary(b, AM_LESS_EQUAL, am_iota(b, AM_I32, am_shape_of(1, l->G), 1, 0, 1), last);
    am_value mask = am_binary(b, AM_EQUAL, am_unsqueeze(b, seen, 2), am_unsqueeze(b, exists, 1));
    return am_split_blocks(b, mask, l->L);
}

/* [B, n, H, L, G] */
static am_value side_bias(am_builder *b, const am_t5_config *c, am_value ids, const longt5 *l)
{
    am_value distance = am_sub(b, am_iota(b, AM_I32, am_shape_of(1, 1, l->G), 2, 0, 1), am_unsqueeze(b, ids, 2));
    am_value bias = distance_bias(b, c, l, "global_relative_attention_bias", distance);
    return am_permute(b, am_split_blocks(b, bias, l->L), am_shape_of(0, 1, 4, 2, 3));
}

/* x: [B, T, C] summed by blocks and normed: [B, G, C] */
static am_value block_sums(am_builder *b, am_value x, const am_t5_config *c, const longt5 *l)
{
    am_shape shape = am_shape_of_value(b, x), sums = am_shape_of(shape.dims[0], l->G + 1, shape.dims[2]);
    am_value zeros = am_iota(b, AM_F32, sums, 1, 0, 0), at = am_broadcast(b, am_unsqueeze(b, l->sums, 2), shape);
    x = am_scatter(b, zeros, at, x, &(am_scatter_attributes){.axis = 1, .elementwise = true, .fn = AM_SCATTER_ADD});
    return am_rms_norm(b, "global_input_layer_norm", am_slice(b, x, 1, 0, l->G), c->layer_norm_epsilon, 0);
}

/* --- attention --- */

/* x: [B, n, ..] -> [B n, ..] */
static am_value rows(am_builder *b, am_value x)
{
    return am_flatten(b, x, 0, 1);
}

/* Keys or values: [B, T, H, D] of the text and [B, G, H, D] of its sums, for each block: [B n, 3 L + G, H, D] */
static am_value keys_of_blocks(am_builder *b, am_value local, am_value side, const longt5 *l)
{
    local = windows(b, local, l->L);
    if (!side.id) return rows(b, local);
    am_shape s = am_shape_of_value(b, local);
    s.dims[2] = l->G;
    return rows(b, am_concat2(b, local, am_broadcast(b, am_unsqueeze(b, side, 1), s), 2));
}

static am_value attend(am_builder *b, am_value x, const am_t5_config *c, const void *state)
{
    const longt5 *l = state;
    am_value text[3], side[3] = {AM_NONE, AM_NONE, AM_NONE};
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_scope(b, "%s", l->attention);
    am_attention_heads(b, x, &l->options, text);
    if (l->G) am_attention_heads(b, block_sums(b, x, c, l), &l->options, side);
    am_value y = am_attend_cached(b, rows(b, am_split_blocks(b, text[0], l->L)), keys_of_blocks(b, text[1], side[1], l),
                                  keys_of_blocks(b, text[2], side[2], l), &l->options);
    y = am_slice(b, am_reshape(b, y, am_shape_of(B, -1, c->num_heads * c->d_kv)), 1, 0, T);
    y = am_linear(b, "o", y, c->d_model, AM_NO_BIAS);
    am_end_scope(b);
    return y;
}

static longt5 read_config(am_builder *b, const am_t5_config *c, int64_t T)
{
    const am_config *config = am_model_config(b);
    const char *type = am_config_text(config, "encoder_attention_type", "local");
    bool global = strcmp(type, "transient-global") == 0;
    if (!global && strcmp(type, "local") != 0)
        am_config_fail(config, "encoder_attention_type", "expected local or transient-global, found \"%s\"", type);
    int64_t size = am_config_size(config, "global_block_size", 16);
    return (longt5){.options = am_t5_attention_options(c),
                    .L = am_config_count(config, "local_radius", 127) + 1,
                    .G = global ? T / size : 0,
                    .size = size,
                    .attention = global ? "TransientGlobalSelfAttention" : "LocalSelfAttention"};
}

static am_value encoder_blocks(am_builder *b, am_value x, const am_t5_config *c)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    longt5 l = read_config(b, c, T);
    am_value seen = seen_tokens(b, B, T), mask = local_mask(b, seen, l.L), bias = local_bias(b, c, &l);
    if (l.G) {
        am_value ids = block_ids(b, seen, l.size);
        am_value nowhere = am_scalar(b, AM_I32, (double)l.G);
        l.sums = am_select(b, am_binary_number(b, AM_LESS, ids, 0), nowhere, ids);
        mask = am_concat2(b, mask, side_mask(b, seen, ids, &l), 3);
        am_value side = side_bias(b, c, ids, &l);
        am_shape s = am_shape_of_value(b, side);
        s.dims[4] = 3 * l.L;
        bias = am_concat2(b, am_broadcast(b, bias, s), side, 4);
    }
    l.options.mask = am_unsqueeze(b, rows(b, mask), 1);
    l.options.bias = rows(b, bias);
    return am_t5_encoder_blocks(b, x, c, attend, &l);
}

static const am_architecture architectures[] = {
    {"LongT5Model", am_t5_model, "feature-extraction", AM_ENCODER_DECODER},
    {"LongT5ForConditionalGeneration", am_t5_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"LongT5EncoderModel", am_t5_encoder_model, "feature-extraction", 0},
    {0},
};

static const am_t5_family family = {.encoder_blocks = encoder_blocks};

const am_model_type am_model_longt5 = {
    .name = "longt5", .base_prefix = "transformer", .architectures = architectures, .family = &family};

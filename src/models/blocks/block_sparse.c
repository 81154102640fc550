#include "models/blocks/block_sparse.h"

#include "models/blocks/blocks.h"
#include "models/blocks/heads.h"

#include <math.h>
#include <string.h>

enum { SEEN_BLOCKS = 5 /* first, before, own, after, last */ };

am_block_sparse am_block_sparse_read(const am_config *c)
{
    const char *type = am_config_text(c, "attention_type", "block_sparse");
    am_block_sparse r = {.enabled = strcmp(type, "block_sparse") == 0,
                         .block_size = am_config_size(c, "block_size", 64),
                         .num_random_blocks = am_config_count(c, "num_random_blocks", 3)};
    if (!r.enabled && strcmp(type, "original_full") != 0)
        am_config_fail(c, "attention_type", "expected block_sparse or original_full, found \"%s\"", type);
    return r;
}

bool am_is_block_sparse(const am_block_sparse *c, int64_t T)
{
    return c->enabled && T > (SEEN_BLOCKS + 2 * c->num_random_blocks) * c->block_size;
}

int64_t am_block_sparse_padding(const am_block_sparse *c, int64_t T)
{
    return am_is_block_sparse(c, T) ? (c->block_size - T % c->block_size) % c->block_size : 0;
}

/* x: [B, n, L, ..] -> what each inner block sees of it: [B, n - 2, 5 L, ..] */
static am_value seen_blocks(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of_value(b, x);
    am_value first = am_slice(b, x, 1, 0, 1), last = am_slice(b, x, 1, -1, AM_SLICE_END);
    shape.dims[1] -= 2;
    return am_concat(
        b, (am_value[]){am_broadcast(b, first, shape), am_block_windows(b, x), am_broadcast(b, last, shape)}, 3, 2);
}

/* BOOL [1, n - 2, 5 L]: not the first block as a neighbour of the second, nor the last as one of the last but one: they
   are there already. */
static am_value each_once(am_builder *b, int64_t n, int64_t L)
{
    int64_t S = SEEN_BLOCKS * L, count = (n - 2) * S;
    bool *table = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t row = i / S, block = i % S / L;
        table[i] = !(row == 0 && block == 1) && !(row == n - 3 && block == 3);
    }
    return am_constant_copy(b, AM_BOOL, am_shape_of(1, n - 2, S), table);
}

/* [1, 1, 1, 5 L]: makes the first block count 1 + num_random_blocks times. */
static am_value repetitions(am_builder *b, const am_block_sparse *c)
{
    am_value first =
        am_iota(b, AM_F32, am_shape_of(1, 1, 1, c->block_size), 3, log(1.0 + (double)c->num_random_blocks), 0);
    return am_pad_zero(b, first, 3, 0, (SEEN_BLOCKS - 1) * c->block_size);
}

/* x: [B, n, ..] -> [B n, ..] */
static am_value rows(am_builder *b, am_value x)
{
    return am_flatten(b, x, 0, 1);
}

/* The inner blocks of q, k, v: [B, n L, H, D] -> [B, (n - 2) L, H, D] */
static am_value attend_in_blocks(am_builder *b, const am_value qkv[3], am_value seen, const am_block_sparse *c)
{
    am_value blocks[3], mask;
    int64_t B = am_dim(b, qkv[0], 0), n = am_dim(b, qkv[0], 1) / c->block_size;
    for (int i = 0; i < 3; i++) blocks[i] = am_split_blocks(b, qkv[i], c->block_size);
    mask = each_once(b, n, c->block_size);
    if (seen.id) mask = am_binary(b, AM_LOGICAL_AND, seen_blocks(b, am_split_blocks(b, seen, c->block_size)), mask);
    else mask = am_broadcast(b, mask, am_shape_of(B, n - 2, SEEN_BLOCKS * c->block_size));
    am_attention_options options = {.mask = am_unsqueeze(b, am_unsqueeze(b, rows(b, mask), 1), 1),
                                    .bias = repetitions(b, c)};
    am_value y = am_attend_cached(b, rows(b, am_slice(b, blocks[0], 1, 1, -1)), rows(b, seen_blocks(b, blocks[1])),
                                  rows(b, seen_blocks(b, blocks[2])), &options);
    am_shape s = am_shape_of_value(b, y);
    return am_reshape(b, y, am_shape_of(B, -1, s.dims[2], s.dims[3]));
}

am_value am_block_sparse_attention(am_builder *b, am_value x, am_value seen, const am_attention_options *projections,
                                   const am_block_sparse *c)
{
    am_value qkv[3];
    int64_t L = c->block_size;
    am_attention_heads(b, x, projections, qkv);
    am_attention_options whole = {.mask = seen.id ? am_unsqueeze(b, am_unsqueeze(b, seen, 1), 1) : AM_NONE};
    am_value ends = am_concat2(b, am_slice(b, qkv[0], 1, 0, L), am_slice(b, qkv[0], 1, -L, AM_SLICE_END), 1);
    ends = am_attend_cached(b, ends, qkv[1], qkv[2], &whole);
    am_value y = am_concat(b,
                           (am_value[]){am_slice(b, ends, 1, 0, L), attend_in_blocks(b, qkv, seen, c),
                                        am_slice(b, ends, 1, L, AM_SLICE_END)},
                           3, 1);
    y = am_merge_heads(b, y);
    return seen.id ? am_mul(b, y, am_unsqueeze(b, am_cast(b, seen, AM_F32), 2)) : y;
}

am_value am_block_sparse_seen(am_builder *b, int64_t B, int64_t T, int64_t padding)
{
    am_value mask = am_flat_input(b, "attention_mask");
    if (!mask.id && !padding) return AM_NONE;
    if (!mask.id) mask = am_iota(b, AM_I32, am_shape_of(B, T), 1, 1, 0);
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_pad_zero(b, mask, 1, 0, padding);
}

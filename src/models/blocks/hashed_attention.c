#include "models/blocks/hashed_attention.h"

#include "base/torch_random.h"
#include "models/blocks/attention.h"
#include "models/blocks/recurrent.h"

#include <math.h>
#include <string.h>

/* Scores of tokens that are not attended, and of a token with itself, which counts only where nothing else does. */
static const double MASKED = -1e9, ITSELF = -1e5;

am_value am_chunk_key_places(am_builder *b, int64_t length, const am_chunk_window *w)
{
    int64_t chunks = length / w->chunk, K = (1 + w->before + w->after) * w->chunk, at = 0;
    am_shape shape = am_shape_of(chunks, K);
    int32_t *places = am_shape_check(&shape)
                          ? am_arena_array(am_builder_arena(b), (size_t)am_shape_count(&shape), sizeof *places)
                          : NULL;
    if (!places) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        for (int64_t i = -w->before; i <= w->after; i++) {
            int64_t moved = i > -chunks && i < chunks ? (chunk + i + chunks) % chunks : chunk;
            for (int64_t k = 0; k < w->chunk; k++) places[at++] = (int32_t)(moved * w->chunk + k);
        }
    return am_constant_copy(b, AM_I32, shape, places);
}

am_chunk_window am_chunk_window_of(const am_chunk_window *w, int64_t T)
{
    return T <= w->chunk ? (am_chunk_window){.chunk = T > 0 ? T : 1} : *w;
}

/* x and y: BOOL, broadcast against each other; either may be AM_NONE. */
static am_value both(am_builder *b, am_value x, am_value y)
{
    return x.id && y.id ? am_binary(b, AM_LOGICAL_AND, x, y) : x.id ? x : y;
}

/* What a hash is made of: num_buckets, or what the length asks for: a power of two, in two factors where it is large.
 */
static int bucket_factors(const am_hashed_attention_options *c, int64_t T, int64_t out[AM_HASH_FACTORS_LIMIT])
{
    int64_t chunk = c->window.chunk, side = (int64_t)sqrt((double)(c->max_length / chunk));
    int power = 0;
    memcpy(out, c->num_buckets, sizeof c->num_buckets);
    if (c->factors) return c->factors;
    while (INT64_C(2) << power <= 2 * (T / chunk)) power++;
    if (INT64_C(1) << power > 2 * (side > chunk ? side : chunk)) {
        out[0] = INT64_C(1) << power / 2;
        out[1] = INT64_C(1) << (power - power / 2);
        return 2;
    }
    out[0] = INT64_C(1) << power;
    return 1;
}

/* Random rotations, the same in every layer: [H, D, hashes directions]. */
static am_value rotations(am_builder *b, const am_hashed_attention_options *c, int64_t directions)
{
    am_shape shape = am_shape_of(c->heads, c->head_dim, c->hashes * directions);
    float *data = am_shape_check(&shape)
                      ? am_arena_array(am_builder_arena(b), (size_t)am_shape_count(&shape), sizeof *data)
                      : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    am_torch_randn((uint64_t)c->seed, data, (size_t)am_shape_count(&shape));
    return am_constant_copy(b, AM_F32, shape, data);
}

/* The bucket of each token in each round, I32 [B, H, hashes, T], of x: [B, H, T, D]: which of the rotated directions,
   or of their opposites, is nearest. out_buckets: how many there are. T: the length that decides on them. */
static am_value hash_vectors(am_builder *b, const am_hashed_attention_options *c, am_value x, int64_t T,
                             int64_t *out_buckets)
{
    int64_t factor[AM_HASH_FACTORS_LIMIT], directions = 0, at = 0;
    int factors = bucket_factors(c, T, factor);
    for (int i = 0; i < factors; i++) directions += factor[i] / 2;
    am_value y = am_matmul(b, x, rotations(b, c, directions), false, false), bucket = AM_NONE;
    y = am_reshape(b, y, am_shape_of(am_dim(b, x, 0), c->heads, am_dim(b, x, 2), c->hashes, directions));
    *out_buckets = 1;
    for (int i = 0; i < factors; at += factor[i++] / 2) {
        am_value part = am_slice(b, y, 4, at, at + factor[i] / 2);
        part = am_arg_reduce(b, am_concat2(b, part, am_unary(b, AM_NEG, part), 4), 4, false);
        part = am_mul_number(b, part, (double)*out_buckets);
        bucket = bucket.id ? am_add(b, bucket, part) : part;
        *out_buckets *= factor[i];
    }
    return am_permute(b, bucket, am_shape_of(0, 1, 3, 2));
}

/* Buckets of later rounds behind those of the rounds before: bucket: [B, H, hashes, T], stride: I32, a scalar or
   [B, 1, 1, 1]. */
static am_value part_rounds(am_builder *b, am_value bucket, am_value stride)
{
    am_value round = am_iota(b, AM_I32, am_shape_of(1, 1, am_dim(b, bucket, 2), 1), 2, 0, 1);
    return am_add(b, bucket, am_mul(b, round, stride));
}

/* Rows of x: [B, H, T, D] at places: I32 [B, H, S] -> [B, H, S, D]. */
static am_value rows_of(am_builder *b, am_value x, am_value places)
{
    am_shape shape = am_shape_of_value(b, places);
    shape.dims[shape.rank++] = am_dim(b, x, 3);
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, places, 3), shape), 2, true);
}

/* Keys are queries of length 1, which is divided by the square root of their size once more. */
static am_value keys_of(am_builder *b, const am_hashed_attention_options *c, am_value x)
{
    am_norm_attributes norm = {.kind = AM_NORM_RMS, .eps = 1e-6};
    x = am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    return am_mul_number(b, x, 1 / sqrt((double)c->head_dim));
}

/* Attention of queries [.., T, D] over keys and values [.., K, D]: [.., T, D]. attended (or AM_NONE) and itself: BOOL,
   broadcast to [.., T, K]. out_weight: logarithms of the sums of exponentials, [.., T, 1]. */
static am_value attend_keys(am_builder *b, am_value queries, am_value keys, am_value values, am_value attended,
                            am_value itself, am_value *out_weight)
{
    am_value scores = am_matmul(b, queries, keys, false, true);
    if (attended.id) scores = am_select(b, attended, scores, am_scalar(b, AM_F32, MASKED));
    scores = am_select(b, itself, am_scalar(b, AM_F32, ITSELF), scores);
    am_value most = am_reduce_last(b, AM_REDUCE_MAX, scores);
    am_value sum = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_EXP, am_sub(b, scores, most)));
    *out_weight = am_add(b, most, am_unary(b, AM_LOG, sum));
    return am_matmul(b, am_softmax(b, scores, -1), values, false, false);
}

/* Mean of the rounds x: [B, H, hashes, T, D], each as weighty as its exponentials: [B, H, T, D]. */
static am_value join_rounds(am_builder *b, am_value x, am_value weight)
{
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, am_softmax(b, weight, 2)), am_shape_of(2), false);
}

/* Each chunk of sorted tokens over its neighbours; qk, v: [B, H, T, D]; places: I32 [B, H, S] of the sorted tokens,
   in rounds of T -> [B, H, S, D]. */
static am_value attend_sorted(am_builder *b, const am_hashed_attention_options *c, const am_value qk_v[2],
                              am_value places, am_value mask, am_value *out_weight)
{
    int64_t B = am_dim(b, qk_v[0], 0), H = c->heads, D = c->head_dim, T = am_dim(b, qk_v[0], 2),
            S = am_dim(b, places, 2);
    am_chunk_window w = am_chunk_window_of(&c->window, T);
    am_value of_chunk = am_chunk_key_places(b, S, &w), attended = AM_NONE;
    int64_t n = am_dim(b, of_chunk, 0), K = am_dim(b, of_chunk, 1);
    am_shape keys_shape = am_shape_of(B, H, n, K, D), key_row = am_shape_of(B, H, n, 1, K);
    am_value queries = rows_of(b, qk_v[0], places), values = rows_of(b, qk_v[1], places);
    am_value keys = am_gather(b, keys_of(b, c, queries), of_chunk, 2, false);
    values = am_gather(b, values, of_chunk, 2, false);
    am_value query_place = am_reshape(b, places, am_shape_of(B, H, n, w.chunk, 1));
    am_value key_place = am_reshape(b, am_gather(b, places, of_chunk, 2, false), key_row);
    if (mask.id) {
        mask = am_broadcast(b, am_unsqueeze(b, am_cast(b, mask, AM_I32), 1), am_shape_of(B, H, T));
        mask = am_gather(b, am_gather(b, mask, places, 2, true), of_chunk, 2, false);
        attended = am_binary_number(b, AM_NOT_EQUAL, am_reshape(b, mask, key_row), 0);
    }
    if (c->causal) attended = both(b, attended, am_binary(b, AM_GREATER_EQUAL, query_place, key_place));
    am_value x = attend_keys(b, am_reshape(b, queries, am_shape_of(B, H, n, w.chunk, D)),
                             am_reshape(b, keys, keys_shape), am_reshape(b, values, keys_shape), attended,
                             am_binary(b, AM_EQUAL, query_place, key_place), out_weight);
    *out_weight = am_reshape(b, *out_weight, am_shape_of(B, H, S));
    return am_reshape(b, x, am_shape_of(B, H, S, D));
}

/* A text whose tokens are sorted by bucket: I32 [B, H, hashes, T] -> [B, H, T, D]. */
static am_value attend_buckets(am_builder *b, const am_hashed_attention_options *c, const am_value qk_v[2],
                               am_value bucket, am_value mask)
{
    int64_t B = am_dim(b, qk_v[0], 0), H = c->heads, T = am_dim(b, qk_v[0], 2), R = c->hashes;
    am_value order, back, weight;
    (void)am_sort(b, am_reshape(b, bucket, am_shape_of(B, H, R * T)), 2, false, &order);
    (void)am_sort(b, order, 2, false, &back);
    am_value places = am_binary_number(b, AM_MOD, order, (double)T);
    am_value x = rows_of(b, attend_sorted(b, c, qk_v, places, mask, &weight), back);
    weight = am_gather(b, weight, back, 2, true);
    if (R == 1) return x;
    return join_rounds(b, am_reshape(b, x, am_shape_of(B, H, R, T, c->head_dim)),
                       am_reshape(b, weight, am_shape_of(B, H, R, T, 1)));
}

/* The state "bucket": F32 [B, capacity, H, hashes], and "hashed": [B, 1], whether a token to come is hashed: from the
   first text longer than a chunk on. */
typedef struct hash_memory {
    am_value bucket, hashed;
} hash_memory;

static hash_memory load_hashes(am_builder *b, const am_hashed_attention_options *c, int64_t B)
{
    am_shape shape = am_shape_of(B, am_cache_capacity(b), c->heads, c->hashes);
    return (hash_memory){am_recurrent_state(b, "bucket", shape), am_recurrent_state(b, "hashed", am_shape_of(B, 1))};
}

/* Writes bucket: I32 [B, H, hashes, T] behind what the cache holds. Gives all, F32 [B, capacity, H, hashes]. */
static am_value keep_hashes(am_builder *b, const hash_memory *m, am_value bucket, am_value hashed)
{
    am_value x = am_permute(b, am_cast(b, bucket, AM_F32), am_shape_of(0, 3, 1, 2));
    am_value places = am_add(b, am_iota(b, AM_I32, am_shape_of(am_dim(b, x, 1)), 0, 0, 1), am_cache_offset(b));
    x = am_scatter(b, m->bucket, places, x, &(am_scatter_attributes){.axis = 1, .fn = AM_SCATTER_SET});
    am_recurrent_state_keep(b, m->bucket, x);
    am_recurrent_state_keep(b, m->hashed, am_broadcast(b, hashed, am_shape_of(am_dim(b, x, 0), 1)));
    return x;
}

/* Buckets of a text go to the cache even where it is short enough to be attended as it stands. */
static am_value attend_hashed(am_builder *b, const am_hashed_attention_options *c, const am_value qk_v[2],
                              am_value mask, int64_t length)
{
    int64_t B = am_dim(b, qk_v[0], 0), T = am_dim(b, qk_v[0], 2), buckets;
    bool chunked = T > c->window.chunk;
    am_value bucket = chunked || am_has_cache(b) ? hash_vectors(b, c, qk_v[0], T, &buckets) : AM_NONE;
    if (chunked && mask.id) { /* padding has a bucket of its own */
        am_value real = am_reshape(b, mask, am_shape_of(am_dim(b, mask, 0), 1, 1, T));
        bucket = am_select(b, real, bucket, am_scalar(b, AM_I32, (double)buckets++));
    }
    if (bucket.id) bucket = part_rounds(b, bucket, am_scalar(b, AM_I32, (double)buckets));
    if (am_has_cache(b)) {
        hash_memory memory = load_hashes(b, c, B);
        (void)keep_hashes(b, &memory, am_slice(b, bucket, 3, 0, length), am_scalar(b, AM_F32, chunked));
    }
    if (chunked) return attend_buckets(b, c, qk_v, bucket, mask);
    am_value weight, places = am_iota(b, AM_I32, am_shape_of(B, c->heads, T), 2, 0, 1);
    return attend_sorted(b, c, qk_v, places, mask, &weight);
}

/* --- one more token after cached ones: query: [B, H, 1, D]; qk, v: [B, H, capacity, D] --- */

/* Over all that are cached. */
static am_value attend_all(am_builder *b, const am_hashed_attention_options *c, am_value query, const am_value qk_v[2])
{
    am_value at = am_cache_offset(b), weight;
    am_value places = am_iota(b, AM_I32, am_shape_of(1, 1, 1, am_cache_capacity(b)), 3, 0, 1);
    return attend_keys(b, query, keys_of(b, c, qk_v[0]), qk_v[1], am_binary(b, AM_LESS_EQUAL, places, at),
                       am_binary(b, AM_EQUAL, places, at), &weight);
}

/* The tokens around the newest one in the order of each round's buckets: I32 [B, H, hashes, K]; bucket: F32
   [B, capacity, H, hashes]. */
static am_value tokens_around(am_builder *b, const am_hashed_attention_options *c, am_value bucket)
{
    const am_chunk_window *w = &c->window;
    int64_t capacity = am_cache_capacity(b), K = (1 + w->before + w->after) * w->chunk;
    am_value at = am_cache_offset(b), order;
    am_value places = am_iota(b, AM_I32, am_shape_of(1, 1, 1, capacity), 3, 0, 1);
    bucket = am_select(b, am_binary(b, AM_LESS_EQUAL, places, at), am_permute(b, bucket, am_shape_of(0, 2, 3, 1)),
                       am_scalar(b, AM_F32, INFINITY));
    (void)am_sort(b, bucket, 3, false, &order);
    am_value rank = am_arg_reduce(b, am_cast(b, am_binary(b, AM_EQUAL, order, at), AM_I32), 3, false);
    am_value start = am_add_number(b, am_binary_number(b, AM_DIV, rank, (double)w->chunk), -(double)w->before);
    start = am_unsqueeze(b, am_mul_number(b, start, (double)w->chunk), 3);
    am_value around = am_add(b, start, am_iota(b, AM_I32, am_shape_of(1, 1, 1, K), 3, 0, 1));
    around = am_binary(b, AM_MOD, around, am_add_number(b, at, 1));
    return am_gather(b, order, around, 3, true);
}

static am_value attend_around(am_builder *b, const am_hashed_attention_options *c, am_value query,
                              const am_value qk_v[2], am_value bucket)
{
    int64_t B = am_dim(b, query, 0), H = c->heads, D = c->head_dim, R = c->hashes;
    am_value tokens = tokens_around(b, c, bucket), rows = am_reshape(b, tokens, am_shape_of(B, H, -1)), weight;
    am_shape shape = am_shape_of(B, H, R, am_dim(b, tokens, 3), D);
    am_value keys = am_reshape(b, keys_of(b, c, rows_of(b, qk_v[0], rows)), shape);
    am_value itself = am_unsqueeze(b, am_binary(b, AM_EQUAL, tokens, am_cache_offset(b)), 3);
    am_value x = attend_keys(b, am_unsqueeze(b, query, 2), keys, am_reshape(b, rows_of(b, qk_v[1], rows), shape),
                             AM_NONE, itself, &weight);
    return join_rounds(b, x, weight);
}

static am_value attend_next(am_builder *b, const am_hashed_attention_options *c, am_value query, const am_value qk_v[2])
{
    int64_t B = am_dim(b, query, 0), buckets;
    hash_memory memory = load_hashes(b, c, B);
    am_value bucket = hash_vectors(b, c, query, 1, &buckets);
    /* rounds are as far apart as those of the text, where the padding's bucket was seen */
    am_value highest = am_reduce(b, AM_REDUCE_MAX, memory.bucket, am_shape_of(1, 2, 3), true);
    am_value padded = am_binary_number(b, AM_GREATER, highest, (double)(c->hashes * buckets - 1));
    bucket = part_rounds(b, bucket, am_add_number(b, am_cast(b, padded, AM_I32), (double)buckets));
    am_value enough = am_binary_number(b, AM_GREATER_EQUAL, am_cache_offset(b), (double)c->window.chunk - 1);
    am_value hashed = am_binary(b, AM_MAX, memory.hashed, am_cast(b, enough, AM_F32));
    am_value all = keep_hashes(b, &memory, bucket, hashed);
    am_value was_hashed = am_reshape(b, am_binary_number(b, AM_GREATER, memory.hashed, 0), am_shape_of(B, 1, 1, 1));
    return am_select(b, was_hashed, attend_around(b, c, query, qk_v, all), attend_all(b, c, query, qk_v));
}

am_value am_hashed_attention(am_builder *b, const am_hashed_attention_options *c, am_value x, am_value mask,
                             int64_t length)
{
    static const char *const names[] = {"query_key", "value"};
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), H = c->heads, D = c->head_dim;
    am_value qk_v[2], query = AM_NONE;
    for (int i = 0; i < 2; i++) {
        qk_v[i] = am_split_heads(b, am_linear(b, names[i], x, H * D, AM_NO_BIAS), H);
        am_value cached = am_cache_append(b, names[i], am_slice(b, qk_v[i], 1, 0, length));
        if (i == 0) query = am_transpose(b, qk_v[0], 1, 2);
        qk_v[i] = am_transpose(b, am_cross_cached(b) ? cached : qk_v[i], 1, 2);
    }
    x = am_cross_cached(b) ? attend_next(b, c, query, qk_v) : attend_hashed(b, c, qk_v, mask, length);
    return am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B, T, H * D));
}

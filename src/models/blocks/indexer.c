#include "models/blocks/indexer.h"

#include <math.h>
#include <string.h>

am_value am_earlier_keys(am_builder *b, int64_t T, int64_t S)
{
    return am_earlier_keys_by(b, T, S, 0);
}

am_value am_earlier_keys_by(am_builder *b, int64_t T, int64_t S, int64_t distance)
{
    double first = (double)((am_has_cache(b) ? 0 : S - T) - distance);
    am_value queries = am_iota(b, AM_I32, am_shape_of(1, T, 1), 1, first, 1);
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, 1, S), 2, 0, 1);
    if (am_has_cache(b)) queries = am_add(b, queries, am_cache_offset(b));
    return am_binary(b, AM_LESS_EQUAL, keys, queries);
}

/* BOOL of `shape`, set where places: [.., k] along the last axis say so. */
static am_value marks_at(am_builder *b, am_value places, am_shape shape)
{
    am_scatter_attributes set = {.axis = -1, .elementwise = true, .fn = AM_SCATTER_SET};
    am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of_value(b, places)),
             zeros = am_broadcast(b, am_scalar(b, AM_F32, 0), shape);
    return am_binary_number(b, AM_NOT_EQUAL, am_scatter(b, zeros, places, ones, &set), 0);
}

am_value am_mark_best(am_builder *b, am_value scores, int64_t k)
{
    am_value best;
    am_top_k(b, scores, -1, k, false, &best);
    return marks_at(b, best, am_shape_of_value(b, scores));
}

static am_value rotate(am_builder *b, am_value heads, const am_indexer *o, const am_rope *rope)
{
    if (!rope) return heads;
    am_rope own = *rope;
    own.interleaved = o->interleaved;
    int64_t kept = o->head_dim - 2 * am_dim(b, rope->cos, -1);
    if (!o->rotates_last || kept <= 0 || am_builder_failed(b)) return am_rope_apply(b, &own, heads);
    am_value last = am_rope_apply(b, &own, am_slice(b, heads, -1, kept, o->head_dim));
    return am_concat2(b, am_slice(b, heads, -1, 0, kept), last, -1);
}

/* What each query thinks of each key: [B, T, S]. */
static am_value scores(am_builder *b, am_value x, am_value query, const am_indexer *o, const am_rope *rope)
{
    am_value q = am_split_heads(b, am_linear(b, "wq_b", query, o->heads * o->head_dim, AM_NO_BIAS), o->heads);
    if (o->factor.id) q = am_mul(b, q, o->factor);
    am_value k = am_linear(b, "wk", x, o->head_dim, AM_NO_BIAS);
    k = am_layer_norm(b, "k_norm", k, o->norm_eps != 0 ? o->norm_eps : 1e-6);
    k = am_cache_append(b, "index_key", rotate(b, am_split_heads(b, k, 1), o, rope));
    k = am_permute(b, k, am_shape_of(0, 2, 1, 3)); /* [B, 1, S, D] */
    am_value dots = am_matmul(b, rotate(b, q, o, rope), k, false, true);
    dots = am_unary(b, AM_RELU, am_mul_number(b, dots, 1 / sqrt((double)o->head_dim))); /* [B, T, H, S] */
    am_value weights = am_linear(b, "weights_proj", x, o->heads, AM_NO_BIAS);
    weights = am_unsqueeze(b, am_mul_number(b, weights, 1 / sqrt((double)o->heads)), 2);
    return am_squeeze(b, am_matmul(b, weights, dots, false, false), 2);
}

am_value am_choose_keys(am_builder *b, am_value scores, am_value allowed, am_value length, int64_t k)
{
    am_value best, worth = am_select(b, allowed, scores, am_scalar(b, AM_F32, -3e38));
    am_top_k_of_torch(b, worth, -1, k, length, &best);
    return am_binary(b, AM_LOGICAL_AND, marks_at(b, best, am_shape_of_value(b, scores)), allowed);
}

bool am_layer_has_indexer(const am_config *c, int layer)
{
    bool listed = am_config_has(c, "indexer_types");
    const char *key = listed ? "indexer_types" : "index_topk_pattern";
    am_json_string pattern = am_json_text(am_json_get(c->object, "index_topk_pattern"));
    if (!listed && pattern.length) {
        if ((size_t)layer < pattern.length && strchr("FS", pattern.bytes[layer])) return pattern.bytes[layer] == 'F';
        am_config_fail(c, key, "layer %d is neither F nor S", layer);
    }
    if (!listed && !am_config_has(c, key)) {
        int64_t period = am_config_int(c, "index_topk_freq", 1),
                place = layer - am_config_int(c, "index_skip_topk_offset", 2) + 1;
        return (place > 0 ? place : 0) % (period > 1 ? period : 1) == 0;
    }
    return am_config_layer_is(c, key, layer, "full", "shared");
}

am_value am_index_keys(am_builder *b, am_value x, am_value query, const am_indexer *o,
                       const am_attention_options *shared)
{
    am_scope(b, "indexer");
    am_value s = scores(b, x, query, o, shared->rope);
    am_end_scope(b);
    int64_t B = am_dim(b, s, 0), T = am_dim(b, s, 1), S = am_dim(b, s, 2);
    if (S <= o->top_k) return shared->mask;
    am_value allowed = am_broadcast(b, am_earlier_keys(b, T, S), am_shape_of(B, T, S));
    if (shared->mask.id) allowed = am_binary(b, AM_LOGICAL_AND, allowed, am_squeeze(b, shared->mask, 1));
    am_value written = am_has_cache(b) ? am_add_number(b, am_cache_offset(b), (double)T) : AM_NONE;
    return am_unsqueeze(b, am_choose_keys(b, s, allowed, written, o->top_k), 1);
}

/* Indexers, small attentions that choose which keys each query attends. */
#ifndef AM_MODELS_BLOCKS_INDEXER_H
#define AM_MODELS_BLOCKS_INDEXER_H

#include "models/blocks/attention.h"

typedef struct am_indexer {
    int64_t heads, head_dim, top_k;
    bool interleaved;  /* pairs side by side are rotated, else halves, whatever the heads of attention do */
    bool rotates_last; /* of a head, not its first dimensions */
    double norm_eps;   /* of the keys' norm; 0: 1e-6 */
    am_value factor;   /* [1 or B, T, heads, 1] that queries are multiplied by, or AM_NONE */
} am_indexer;

/* DeepSeek-V3.2's, below "indexer": the keys that each query of x: [B, T, C] attends, those top_k of which a weighted
   sum over its heads of relu(q k) is best; `query` is what queries are made of. Nothing is rotated where `shared` has
   no tables. BOOL [B, 1, T, S], or the mask of `shared` alone where all keys fit. Keys go through the cache. */
am_value am_index_keys(am_builder *b, am_value x, am_value query, const am_indexer *options,
                       const am_attention_options *shared);

/* Which of S keys stand no later than each of the T queries of this run: BOOL [1, T, S]. */
am_value am_earlier_keys(am_builder *b, int64_t T, int64_t S);

/* The same of those that stand `distance` places or more before the query. */
am_value am_earlier_keys_by(am_builder *b, int64_t T, int64_t S, int64_t distance);

/* Marks the k best along the last axis of scores: BOOL of their shape. */
am_value am_mark_best(am_builder *b, am_value scores, int64_t k);

/* Of the keys that are allowed: BOOL [B, T, S], those k whose scores: [B, T, S] are best: BOOL [B, T, S]. Of equal
   ones, which relu makes of many, those of am_top_k_of_torch are taken; length: how many keys there are yet, an I32
   scalar, or AM_NONE: all S. */
am_value am_choose_keys(am_builder *b, am_value scores, am_value allowed, am_value length, int64_t k);

/* Whether a layer has an indexer: indexer_types, index_topk_pattern (a string of F and S, or the list itself), or each
   index_topk_freq-th layer behind the first index_skip_topk_offset. (GLM-5) */
bool am_layer_has_indexer(const am_config *c, int layer);

#endif

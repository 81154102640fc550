/* BigBird's attention (arXiv 2007.14062): tokens of a long text see blocks of it: their own and its two neighbours, the
   first and the last, and num_random_blocks more. The first and the last block see everything. transformers draws the
   random blocks while it trains; when it answers, each of them is the first block again, which so counts 1 +
   num_random_blocks times. Short texts have full attention. */
#ifndef AM_MODELS_BLOCKS_BLOCK_SPARSE_H
#define AM_MODELS_BLOCKS_BLOCK_SPARSE_H

#include "models/blocks/attention.h"

typedef struct am_block_sparse {
    bool enabled; /* attention_type is block_sparse, not original_full */
    int64_t block_size, num_random_blocks;
} am_block_sparse;

/* attention_type, block_size and num_random_blocks, which the classes default alike. */
am_block_sparse am_block_sparse_read(const am_config *c);

/* Whether a text of T tokens is seen in blocks, and how many tokens of padding fill its last block. */
bool am_is_block_sparse(const am_block_sparse *c, int64_t T);
int64_t am_block_sparse_padding(const am_block_sparse *c, int64_t T);

/* Which tokens of T and the padding behind them the input attention_mask shows: BOOL [B, T + padding]; AM_NONE where
   all are seen. */
am_value am_block_sparse_seen(am_builder *b, int64_t B, int64_t T, int64_t padding);

/* Attention of x: [B, n L, C] -> [B, n L, C], not projected back, by the projections for q, k and v; zero where a token
   is not seen (BOOL [B, n L] or AM_NONE). */
am_value am_block_sparse_attention(am_builder *b, am_value x, am_value seen, const am_attention_options *projections,
                                   const am_block_sparse *c);

#endif

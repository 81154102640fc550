/* Attention over a map of tokens whose scores say how far rows and columns lie apart, as the query sees it: for each
   distance in rows there is a vector, for each in columns another, and their products with the query are added (MViTv2,
   arXiv 2112.01526; SAM). transformers: models/sam/modeling_sam.py */
#ifndef AM_MODELS_BLOCKS_DECOMPOSED_H
#define AM_MODELS_BLOCKS_DECOMPOSED_H

#include "models/blocks/attention.h"

/* The weights NAME "rel_pos_h" and "rel_pos_w", [2 sizes[i] - 1, D] each, below the scope as a bias [B, H, T, T] of
   queries q: [B, T, H, D], T = size[0] * size[1]; weights for maps of other sizes are resized. */
am_value am_decomposed_bias(am_builder *b, am_value q, const int64_t size[2], const int64_t sizes[2]);

/* Attention with projections qkv and proj below the scope, and such a bias where `sizes` is not null: x: [B, T, C]. */
am_value am_decomposed_attention(am_builder *b, am_value x, int64_t heads, bool qkv_bias, const int64_t size[2],
                                 const int64_t sizes[2]);

#endif

/* Attention with relative positions as Transformer-XL has it (arXiv 1901.02860): beside its keys, a query meets vectors
   of how far away they are. */
#ifndef AM_MODELS_BLOCKS_TRANSFORMER_XL_H
#define AM_MODELS_BLOCKS_TRANSFORMER_XL_H

#include "models/model.h"

/* x: [.., C] times the weight NAME: [C, H, D] -> [.., H, D]. */
am_value am_xl_heads(am_builder *b, const char *name, am_value x, int64_t H, int64_t D);

/* q: [B, T, H, D] and the weight NAME: [H, D]. */
am_value am_xl_biased(am_builder *b, am_value q, const char *name);

/* q: [B, T, H, D] times rows: [R, H, D] -> [B, H, T, R] */
am_value am_xl_products(am_builder *b, am_value q, am_value rows);

/* Products of T queries with rows for the distances query - key of T - 1 .. 1 - T: [B, H, T, 2 * T - 1], of which every
   pair takes its own: [B, H, T, T] */
am_value am_xl_shifted(am_builder *b, am_value products);

/* q: [B, T, H, D] times rows: [R, H, D], of which index: I32 [T, S] or [B, 1, T, S] takes one for every pair:
   [B, H, T, S] */
am_value am_xl_scores(am_builder *b, am_value q, am_value rows, am_value index);

#endif

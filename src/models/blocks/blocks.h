/* A text in blocks of equal length, for attention whose cost grows with the text's length and not with its square. */
#ifndef AM_MODELS_BLOCKS_BLOCKS_H
#define AM_MODELS_BLOCKS_BLOCKS_H

#include "graph/ops.h"

/* x: [B, T, ..] -> [B, n, L, ..] with n = ceil(T / L); zeros (false) behind the text. */
am_value am_split_blocks(am_builder *b, am_value x, int64_t L);

/* Each inner block with the ones before and after it: [B, n, L, ..] -> [B, n - 2, 3 L, ..]; n is 3 or more. */
am_value am_block_windows(am_builder *b, am_value x);

#endif

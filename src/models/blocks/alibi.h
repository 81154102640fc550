/* ALiBi (arXiv 2108.12409): no position embeddings; every score gets a slope of the head times the key's position. */
#ifndef AM_MODELS_BLOCKS_ALIBI_H
#define AM_MODELS_BLOCKS_ALIBI_H

#include "models/model.h"

/* Slopes of the heads, F32 [1, H, 1, 1]: powers of 2^(-8 / n), n the largest power of two among `heads`; the heads
   beyond n take the odd powers of its root. */
am_value am_alibi_slopes(am_builder *b, int64_t heads);

/* Positions of the keys of a run of T tokens, F32 [1, 1, 1, S]: 0 .. S - 1, S being the capacity where there are
   caches. */
am_value am_key_positions(am_builder *b, int64_t T);

/* The same counting only tokens that the input attention_mask marks, where it is given: [1 or B, 1, 1, S]. */
am_value am_attended_key_positions(am_builder *b, int64_t T);

#endif

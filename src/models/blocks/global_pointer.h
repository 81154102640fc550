/* Which of two elements comes first, as scores: products of what two projections make of each (PP-DocLayout). */
#ifndef AM_MODELS_BLOCKS_GLOBAL_POINTER_H
#define AM_MODELS_BLOCKS_GLOBAL_POINTER_H

#include "models/model.h"

/* Below the scope NAME, whose `dense` gives both at once, each global_pointer_head_size of `c` wide: x: [B, N, C] ->
   [B, N, N], in which only j behind i counts; the others are -10000. */
am_value am_global_pointer(am_builder *b, const char *name, am_value x, const am_config *c);

#endif

/* Attention whose three projections are one weight, as torch.nn.MultiheadAttention keeps them. */
#ifndef AM_MODELS_BLOCKS_PACKED_ATTENTION_H
#define AM_MODELS_BLOCKS_PACKED_ATTENTION_H

#include "models/model.h"

/* torch.nn.MultiheadAttention NAME, whose projections are one weight: q: [B, T, C], k, v: [B, S, C] -> [B, T, C]; mask
   as am_attention_op takes it, or AM_NONE. */
am_value am_packed_attend(am_builder *b, const char *name, am_value q, am_value k, am_value v, int64_t heads,
                          am_value mask);

#endif

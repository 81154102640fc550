/* LFM2's layers: grouped attention, or a short convolution between two gates: out(C * conv(B * x)) where B, C and x are
   projections of the input. */
#ifndef AM_MODELS_BLOCKS_SHORT_CONVOLUTION_H
#define AM_MODELS_BLOCKS_SHORT_CONVOLUTION_H

#include "models/blocks/decoder.h"

/* Either of the two, as layer_types or full_attn_idxs say, below "self_attn" or "conv". */
am_decoder_part am_lfm2_operator;

/* The convolution: x: [B, T, C] -> [B, T, C]; `kernel` is what an absent conv_L_cache stands for. */
am_value am_short_convolution(am_builder *b, am_value x, int64_t C, int64_t kernel);

/* w2(silu(w1(x)) * w3(x)). */
am_decoder_part am_lfm2_mlp;

#endif

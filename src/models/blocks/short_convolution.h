/* LFM2's layers: grouped attention, or a short convolution between two gates: out(C * conv(B * x)) where B, C and x are
   projections of the input. */
#ifndef AM_MODELS_BLOCKS_SHORT_CONVOLUTION_H
#define AM_MODELS_BLOCKS_SHORT_CONVOLUTION_H

#include "models/blocks/decoder.h"

/* Either of the two, as layer_types or full_attn_idxs say, below "self_attn" or "conv". */
am_decoder_part am_lfm2_operator;

/* w2(silu(w1(x)) * w3(x)). */
am_decoder_part am_lfm2_mlp;

#endif

/* FastViT of timm, as timm_wrapper names it ("fastvit_t8" .. "fastvit_mci4"): convolutions of each channel by itself
   instead of attention in all but the last stages. Only the form for inference, in which branches are one convolution.
   timm: models/fastvit.py */
#ifndef AM_MODELS_BLOCKS_FASTVIT_H
#define AM_MODELS_BLOCKS_FASTVIT_H

#include "models/blocks/layers.h"

/* What forward_features gives of images x: [B, in_chans, H, W], below the scope: [B, C, H', W']. c is the configuration
   of timm_wrapper; `architecture` and `for_inference` are what absent fields stand for. Fails where its architecture is
   none of these. */
am_value am_fastvit(am_builder *b, const am_config *c, am_value x, const char *architecture, bool for_inference);

#endif

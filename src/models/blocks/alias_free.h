/* Activations of waves without aliasing (arXiv 2206.04658, BigVGAN): twice as many samples go through SnakeBeta, and
   half of what comes out is left, filters being windowed sincs. transformers: models/xcodec2/modeling_xcodec2.py,
   models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#ifndef AM_MODELS_BLOCKS_ALIAS_FREE_H
#define AM_MODELS_BLOCKS_ALIAS_FREE_H

#include "models/model.h"

/* x: [B, C, T] -> [B, C, T] with NAME.act.alpha and NAME.act.beta, logarithms, one a channel. */
am_value am_alias_free_snake(am_builder *b, const char *name, am_value x);

#endif

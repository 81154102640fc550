/* MobileNet V5's encoder as timm names it ("mobilenetv5_300m_enc"), which sees images for Gemma 3n: inverted residual
   blocks, attention of many query heads to one of keys among them. timm: models/mobilenetv5.py */
#ifndef AM_MODELS_BLOCKS_MOBILENET_V5_H
#define AM_MODELS_BLOCKS_MOBILENET_V5_H

#include "models/model.h"

/* Whether a configuration of timm_wrapper names it. */
bool am_is_mobilenet_v5(const am_config *c);

/* What forward_features gives of images x: [B, in_chans, H, W] below the scope: [B, 2048, R, R], R being
   msfa_output_resolution. c is the configuration of timm_wrapper. */
am_value am_mobilenet_v5(am_builder *b, const am_config *c, am_value x);

#endif

/* The Perception Encoder (arXiv 2504.13181) as timm names it ("vit_pe_core_large_patch14_336" ..): a vision transformer
   with learned places and heads that are turned by columns and rows. timm: models/eva.py */
#ifndef AM_MODELS_BLOCKS_PERCEPTION_ENCODER_H
#define AM_MODELS_BLOCKS_PERCEPTION_ENCODER_H

#include "models/blocks/attention.h"

/* What forward_features gives of images x: [B, in_chans, H, W] below the scope: [B, P + N, C], P tokens before the N
   patches. c is the configuration of timm_wrapper; fails where its architecture is none of these. */
am_value am_perception_encoder(am_builder *b, const am_config *c, am_value x);

/* What forward gives of them, for networks that pool by attention ("vit_pe_core_.."): [B, labels], as many as the
   weights have. */
am_value am_perception_logits(am_builder *b, const am_config *c, am_value x);

#endif

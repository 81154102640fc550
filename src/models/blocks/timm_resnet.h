/* ResNets as the library timm names them ("resnet18" .. "resnet152"): what most DETR checkpoints have as backbone.
   timm: models/resnet.py */
#ifndef AM_MODELS_BLOCKS_TIMM_RESNET_H
#define AM_MODELS_BLOCKS_TIMM_RESNET_H

#include "models/blocks/vision.h"

/* The backbone that the class's configuration names: backbone_config of model_type timm_backbone, or its own field
   `backbone`, over pixel_values, with weights below the current scope. Puts the maps it gives, [B, C, H, W], into
   out[5], says how many. Names of other networks are an error. */
int am_timm_resnet(am_builder *b, am_value *out);

#endif

/* Feature maps of a backbone that a configuration names, and which of their pixels are no padding. */
#ifndef AM_MODELS_BLOCKS_FEATURE_MAPS_H
#define AM_MODELS_BLOCKS_FEATURE_MAPS_H

#include "models/blocks/vision.h"

/* Input pixel_mask as F32 [B, H, W]; ones of pixel_values' size where it is not given. */
am_value am_pixel_mask(am_builder *b);

/* The mask at the places of a map: [B, H, W], [B, C, h, w] -> F32 [B, h, w] of 0 and 1. */
am_value am_mask_of_map(am_builder *b, am_value mask, am_value map);

typedef struct am_feature_maps {
    am_value maps[AM_STAGES_LIMIT + 1]; /* [B, C, H, W], the finest first */
    int count;
    am_part_outputs outputs; /* of the backbone, hidden states among them */
} am_feature_maps;

/* feature_maps of the backbone that the class's backbone_config names, with weights below the current scope; fails
   unless it gives `least` to `most` maps. A configuration that names a ResNet of timm gets that. */
am_feature_maps am_backbone_maps(am_builder *b, int least, int most);

/* The same of a backbone's configuration, which is not timm's. */
am_feature_maps am_backbone_maps_of(am_builder *b, const am_config *config, int least, int most);

/* The same of the class of that name; null: what AutoBackbone makes of the configuration. */
am_feature_maps am_backbone_maps_as(am_builder *b, const char *class_name, const am_config *config, int least,
                                    int most);

/* The same where the class calls its pixel_values otherwise. */
am_feature_maps am_backbone_maps_of_pixels(am_builder *b, const am_config *config, const char *pixels, int least,
                                           int most);

#endif

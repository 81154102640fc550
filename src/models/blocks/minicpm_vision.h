/* MiniCPM-V's towers: patches of all pictures in one strip, which attend within their picture; in the middle windows of
   four become one. transformers: models/minicpmv4_6/modeling_minicpmv4_6.py */
#ifndef AM_MODELS_BLOCKS_MINICPM_VISION_H
#define AM_MODELS_BLOCKS_MINICPM_VISION_H

#include "models/blocks/vision_language.h"

/* Rows of a text for the inputs pixel_values: [1, channels, patch, length] and target_sizes, of images; the same of
   videos. */
am_value am_minicpm_features(am_builder *b);
am_value am_minicpm_video_features(am_builder *b);

/* The builder of the tower alone. */
void am_minicpm_vision_model(am_builder *b);

/* target_sizes and target_sizes_videos. */
extern const am_shaping_input am_minicpm_shaping_inputs[];

#endif

/* Segment Anything 3's image encoder: a vision transformer of windows, whose heads turn by rows and columns, and a neck
   that makes maps of several resolutions of its last one. transformers: models/sam3/modeling_sam3.py */
#ifndef AM_MODELS_BLOCKS_SAM3_VISION_H
#define AM_MODELS_BLOCKS_SAM3_VISION_H

#include "models/blocks/vision.h"

typedef struct am_sam3_image {
    am_value tokens; /* of the transformer: [B, rows * columns, C] */
    int64_t rows, columns;
    am_value maps[AM_STAGES_LIMIT]; /* of the neck: [B, C, h, w], as scale_factors stand */
    int count;
} am_sam3_image;

/* The transformer of its configuration over the input pixel_values, below the scope; fills tokens, rows and columns. */
am_sam3_image am_sam3_vit(am_builder *b, const am_config *c, const char *hidden_states);

/* The transformer of a vision configuration below the scope `backbone`, and the neck below the scope `neck`. */
am_sam3_image am_sam3_vision(am_builder *b, const am_config *c, const char *backbone, const char *neck,
                             const char *hidden_states);

/* Places of a map as waves, as many as it has channels: [B, C, h, w] -> [B, h * w, C]. */
am_value am_sam3_places(am_builder *b, am_value map);

#endif

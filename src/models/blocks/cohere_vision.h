/* The projector of Cohere's models that are shown images. */
#ifndef AM_MODELS_BLOCKS_COHERE_VISION_H
#define AM_MODELS_BLOCKS_COHERE_VISION_H

#include "models/blocks/vision_language.h"

typedef struct am_cohere_projector {
    int64_t inner;   /* half of it is gate */
    double norm_eps; /* 0: no norm */
} am_cohere_projector;

/* x: [B, P, C], P a square -> [B, P / downsample_factor^2, width of the words], below the scope multi_modal_projector.
 */
am_value am_cohere_project(am_builder *b, am_value x, const am_cohere_projector *projector);

#endif

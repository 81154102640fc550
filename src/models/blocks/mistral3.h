/* Pixtral's patches, squares of them merged, among the words of a text. */
#ifndef AM_MODELS_BLOCKS_MISTRAL3_H
#define AM_MODELS_BLOCKS_MISTRAL3_H

#include "models/blocks/vision_language.h"

typedef struct am_mistral3 {
    const char *tower, *projector; /* scopes */
    bool reads_projector;          /* vision_feature_layer, multimodal_projector_bias, projector_hidden_act */
} am_mistral3;

/* The features of an am_vision_language_family: [rows, C] of all images. */
am_value am_mistral3_rows(am_builder *b, const am_mistral3 *names);

extern const am_shaping_input am_mistral3_shaping_inputs[];

#endif

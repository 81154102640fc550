/* The MLP of GLM-4.5's layers, for am_decoder_options.mlp: after the first layers DeepSeek's mixture of experts. */
#ifndef AM_MODELS_BLOCKS_GLM_MOE_H
#define AM_MODELS_BLOCKS_GLM_MOE_H

#include "models/blocks/decoder.h"

/* x: [B, T, C] below the layer's scope. */
am_value am_glm_mixture(am_builder *b, am_value x, const am_decoder_layer *layer);

#endif

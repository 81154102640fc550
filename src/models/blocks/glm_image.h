/* GLM-Image's eyes: a tower over patches of pictures, and a codebook that makes tokens of what it gives. */
#ifndef AM_MODELS_BLOCKS_GLM_IMAGE_H
#define AM_MODELS_BLOCKS_GLM_IMAGE_H

#include "models/blocks/qwen_vl.h"
#include "models/blocks/vqgan.h"

/* The fields of a tower as GlmImageVisionConfig names and defaults them. */
am_qwen_vision am_glm_image_vision_read(const am_config *c);

/* What the codebook of vq_config c makes of x: [N, latent_channels], below the scope; quantized: [N, embed_dim]. */
am_vqgan_codes am_glm_image_quantize(am_builder *b, const am_config *c, am_value x);

#endif

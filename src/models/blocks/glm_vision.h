/* What GLM's models that are shown images share: Qwen2-VL's tower with learned positions that are resized to each
   picture, and a convolution over squares of patches in front of a gated merger; videos are frames that take the places
   of images. transformers: models/glm4v/modeling_glm4v.py */
#ifndef AM_MODELS_BLOCKS_GLM_VISION_H
#define AM_MODELS_BLOCKS_GLM_VISION_H

#include "models/blocks/decoder.h"
#include "models/blocks/qwen_vl.h"

/* The fields of a tower as Glm4vVisionConfig names and defaults them. */
am_qwen_vision am_glm_vision_read(const am_config *c);

/* Learned positions of patches, resized by `mode` from those of a square of image_size (or `fallback`): [N, width]. */
am_value am_glm_vision_positions(am_builder *b, const am_grids *grids, const am_patch_places *places,
                                 const am_qwen_vision *v, int64_t fallback, am_resize_mode mode);

/* Outputs of what comes out of the layers, for the field `leave`: the merger is `inner` wide. */
void am_glm_vision_leave(am_builder *b, am_value x, const am_qwen_vision *v, int64_t inner, am_qwen_vision_output *out);

/* The same without learned positions and with norms of queries and keys, as GlmOcrVisionConfig defaults them; `leave`
   is the member's. */
am_qwen_vision am_glm_ocr_vision_read(const am_config *c);

/* The builder of a tower alone. */
void am_glm_vision_model(am_builder *b, am_qwen_vision_read *read);

/* For the field text_inputs of an am_vision_language_family. */
int am_glm_text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS]);

/* GLM-4V's text model: norms before and after, gate and up in one projection, places of three kinds that turn pairs
   side by side. For the field adapt of an am_decoder_family. */
void am_glm_text_adapt(const am_config *c, am_decoder_options *o);

#endif

/* MetaCLIP 2: CLIP for texts of all languages; they end at the end token whatever its number.
   transformers: models/metaclip_2/modeling_metaclip_2.py */
#include "models/blocks/clip.h"

static const am_architecture architectures[] = {
    {"MetaClip2Model", am_clip_model, "zero-shot-image-classification", 0},
    {"MetaClip2TextModel", am_clip_text_model, NULL, 0},
    {"MetaClip2TextModelWithProjection", am_clip_text_model_with_projection, NULL, 0},
    {"MetaClip2VisionModel", am_clip_vision_model, "image-feature-extraction", 0},
    {"MetaClip2VisionModelWithProjection", am_clip_vision_model_with_projection, NULL, 0},
    {"MetaClip2ForImageClassification", am_clip_for_image_classification, "image-classification", 0},
    {0},
};

static const am_clip_family family = {.name = "metaclip_2", .end = AM_CLIP_END_TOKEN_FIXED};

const am_model_type am_model_metaclip_2 = {.name = "metaclip_2 metaclip_2_text_model metaclip_2_vision_model",
                                           .base_prefix = "metaclip_2",
                                           .architectures = architectures,
                                           .family = &family};

/* CLIP: a causal text tower, whose vector is the state of the first end token, and an image tower, whose vector is that
   of the class token; both have the same pre-norm layers. transformers: models/clip/modeling_clip.py */
#include "models/blocks/clip.h"

static const am_architecture architectures[] = {
    {"CLIPModel", am_clip_model, "zero-shot-image-classification", 0},
    {"CLIPTextModel", am_clip_text_model, NULL, 0},
    {"CLIPTextModelWithProjection", am_clip_text_model_with_projection, NULL, 0},
    {"CLIPVisionModel", am_clip_vision_model, "image-feature-extraction", 0},
    {"CLIPVisionModelWithProjection", am_clip_vision_model_with_projection, NULL, 0},
    {"CLIPForImageClassification", am_clip_for_image_classification, "image-classification", 0},
    {0},
};

static const am_clip_family family = {.name = "clip"};

const am_model_type am_model_clip = {.name = "clip clip_text_model clip_vision_model",
                                     .base_prefix = "clip",
                                     .architectures = architectures,
                                     .family = &family};

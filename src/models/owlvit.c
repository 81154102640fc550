/* OWL-ViT: CLIP whose image tower finds, for each patch, a box and the texts that fit what is in it.
   transformers: models/owlvit/modeling_owlvit.py */
#include "models/blocks/owl.h"

static const am_architecture architectures[] = {
    {"OwlViTModel", am_clip_model, NULL, 0},
    {"OwlViTTextModel", am_clip_text_model, NULL, 0},
    {"OwlViTVisionModel", am_clip_vision_model, NULL, 0},
    {"OwlViTForObjectDetection", am_owl_for_object_detection, NULL, 0},
    {0},
};

static const am_clip_family family = {.name = "owlvit",
                                      .text_positions = 16,
                                      .image_size = 768,
                                      .patch_size = 32,
                                      .end = AM_CLIP_END_LARGEST,
                                      .image_norm = "pre_layernorm",
                                      .gives_unprojected = true};

const am_model_type am_model_owlvit = {.name = "owlvit owlvit_text_model owlvit_vision_model",
                                       .base_prefix = "owlvit",
                                       .architectures = architectures,
                                       .family = &family};

/* OWLv2: OWL-ViT that also says of each patch whether anything is there.
   transformers: models/owlv2/modeling_owlv2.py */
#include "models/blocks/owl.h"

static const am_architecture architectures[] = {
    {"Owlv2Model", am_clip_model, NULL, 0},
    {"Owlv2TextModel", am_clip_text_model, NULL, 0},
    {"Owlv2VisionModel", am_clip_vision_model, NULL, 0},
    {"Owlv2ForObjectDetection", am_owl_for_object_detection_with_objectness, NULL, 0},
    {0},
};

static const am_clip_family family = {.name = "owlv2",
                                      .text_positions = 16,
                                      .image_size = 768,
                                      .patch_size = 16,
                                      .end = AM_CLIP_END_LARGEST,
                                      .image_norm = "pre_layernorm",
                                      .gives_unprojected = true};

const am_model_type am_model_owlv2 = {.name = "owlv2 owlv2_text_model owlv2_vision_model",
                                      .base_prefix = "owlv2",
                                      .architectures = architectures,
                                      .family = &family};

/* Grounding DINO: boxes of what a text names. transformers: models/grounding_dino/modeling_grounding_dino.py */
#include "models/blocks/grounding_dino.h"

static const am_architecture architectures[] = {
    {"GroundingDinoModel", am_grounding_model, NULL, 0},
    {"GroundingDinoForObjectDetection", am_grounding_for_object_detection, NULL, 0},
    {0},
};

static const am_grounding_family family = {.may_share_boxes = true};

const am_model_type am_model_grounding_dino = {
    .name = "grounding-dino", .base_prefix = "model", .architectures = architectures, .family = &family};

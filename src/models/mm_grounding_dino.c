/* MM Grounding DINO: Grounding DINO with heads that scale and shift their scores. transformers:
   models/mm_grounding_dino/modeling_mm_grounding_dino.py */
#include "models/blocks/grounding_dino.h"

static const am_architecture architectures[] = {
    {"MMGroundingDinoModel", am_grounding_model, NULL, 0},
    {"MMGroundingDinoForObjectDetection", am_grounding_for_object_detection, NULL, 0},
    {0},
};

static const am_grounding_family family = {.scales_scores = true};

const am_model_type am_model_mm_grounding_dino = {
    .name = "mm-grounding-dino", .base_prefix = "model", .architectures = architectures, .family = &family};

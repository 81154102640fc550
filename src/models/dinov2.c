/* DINOv2: blocks/dinov2.h with nothing added. transformers: models/dinov2/modeling_dinov2.py */
#include "models/blocks/dinov2.h"

static const am_architecture architectures[] = {
    {"Dinov2Model", am_dinov2_model, "image-feature-extraction", 0},
    {"Dinov2ForImageClassification", am_dinov2_for_image_classification, "image-classification", 0},
    {"Dinov2Backbone", am_dinov2_backbone, NULL, 0},
    {0},
};

static const am_dinov2_family family = {.prefix = "dinov2", .patch_size = 14, .has_registers = false};

const am_model_type am_model_dinov2 = {
    .name = "dinov2", .base_prefix = "dinov2", .architectures = architectures, .family = &family};

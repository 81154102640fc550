/* DINOv2 with register tokens behind the class token. transformers:
   models/dinov2_with_registers/modeling_dinov2_with_registers.py */
#include "models/blocks/dinov2.h"

static const am_architecture architectures[] = {
    {"Dinov2WithRegistersModel", am_dinov2_model, "image-feature-extraction", 0},
    {"Dinov2WithRegistersForImageClassification", am_dinov2_for_image_classification, "image-classification", 0},
    {"Dinov2WithRegistersBackbone", am_dinov2_backbone, NULL, 0},
    {0},
};

static const am_dinov2_family family = {.prefix = "dinov2_with_registers", .patch_size = 16, .has_registers = true};

const am_model_type am_model_dinov2_with_registers = {.name = "dinov2_with_registers",
                                                      .base_prefix = "dinov2_with_registers",
                                                      .architectures = architectures,
                                                      .family = &family};

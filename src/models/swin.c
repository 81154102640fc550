/* Swin: attention within windows of patches that shift from layer to layer. transformers:
   models/swin/modeling_swin.py */
#include "models/blocks/swin.h"

static const am_architecture architectures[] = {
    {"SwinModel", am_swin_model, "image-feature-extraction", 0},
    {"SwinForMaskedImageModeling", am_swin_for_masked_image_modeling, NULL, 0},
    {"SwinForImageClassification", am_swin_for_image_classification, "image-classification", 0},
    {"SwinBackbone", am_swin_backbone, NULL, 0},
    {0},
};

static const am_swin_family family = {.prefix = "swin", .has_positions = true};

const am_model_type am_model_swin = {
    .name = "swin", .base_prefix = "swin", .architectures = architectures, .family = &family};

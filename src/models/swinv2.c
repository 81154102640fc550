/* Swin V2: Swin that norms what its parts give and compares directions of queries and keys. transformers:
   models/swinv2/modeling_swinv2.py */
#include "models/blocks/swin.h"

static const am_architecture architectures[] = {
    {"Swinv2Model", am_swin_model, "image-feature-extraction", 0},
    {"Swinv2ForMaskedImageModeling", am_swin_for_masked_image_modeling, NULL, 0},
    {"Swinv2ForImageClassification", am_swin_for_image_classification, "image-classification", 0},
    {"Swinv2Backbone", am_swin_backbone, NULL, 0},
    {0},
};

static const am_swin_family family = {.prefix = "swinv2", .is_second_version = true};

const am_model_type am_model_swinv2 = {
    .name = "swinv2", .base_prefix = "swinv2", .architectures = architectures, .family = &family};

/* I-JEPA (arXiv 2301.08243): ViT without a class token, trained to predict states of patches from those of others.
   transformers: models/ijepa/modeling_ijepa.py */
#include "models/blocks/vit.h"

static const am_architecture architectures[] = {
    {"IJepaModel", am_vit_model, "image-feature-extraction", 0},
    {"IJepaForImageClassification", am_vit_for_image_classification, "image-classification", 0},
    {0},
};

static const am_vit_family family = {.prefix = "ijepa", .no_class_token = true, .no_pooler = true};

const am_model_type am_model_ijepa = {
    .name = "ijepa", .base_prefix = "ijepa", .architectures = architectures, .family = &family};

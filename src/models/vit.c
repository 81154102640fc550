/* ViT: an image is a sequence of patches behind a class token, read by pre-norm layers.
   transformers: models/vit/modeling_vit.py */
#include "models/blocks/vit.h"

static const am_architecture architectures[] = {
    {"ViTModel", am_vit_model, "image-feature-extraction", 0},
    {"ViTForMaskedImageModeling", am_vit_for_masked_image_modeling, NULL, 0},
    {"ViTForImageClassification", am_vit_for_image_classification, "image-classification", 0},
    {0},
};

static const am_vit_family family = {.prefix = "vit"};

const am_model_type am_model_vit = {
    .name = "vit", .base_prefix = "vit", .architectures = architectures, .family = &family};

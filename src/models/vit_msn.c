/* ViT MSN (arXiv 2204.07141): ViT, trained to give masked images the assignments of whole ones.
   transformers: models/vit_msn/modeling_vit_msn.py */
#include "models/blocks/vit.h"

static const am_architecture architectures[] = {
    {"ViTMSNModel", am_vit_model, "image-feature-extraction", 0},
    {"ViTMSNForImageClassification", am_vit_for_image_classification, "image-classification", 0},
    {0},
};

static const am_vit_family family = {.prefix = "vit", .no_pooler = true, .layer_norm_eps = 1e-6};

const am_model_type am_model_vit_msn = {
    .name = "vit_msn", .base_prefix = "vit", .architectures = architectures, .family = &family};

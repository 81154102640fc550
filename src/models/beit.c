/* BEiT (arXiv 2106.08254): ViT whose attention knows how far patches lie from each other, trained to name masked
   patches by tokens of a picture vocabulary. transformers: models/beit/modeling_beit.py */
#include "models/blocks/beit.h"

static const am_architecture architectures[] = {
    {"BeitModel", am_beit_model, "image-feature-extraction", 0},
    {"BeitForMaskedImageModeling", am_beit_for_masked_image_modeling, NULL, 0},
    {"BeitForImageClassification", am_beit_for_image_classification, "image-classification", 0},
    {"BeitForSemanticSegmentation", am_beit_for_semantic_segmentation, "image-segmentation", 0},
    {"BeitBackbone", am_beit_backbone, NULL, 0},
    {0},
};

static const am_beit_family family = {.prefix = "beit", .is_backbone = true, .pools = true, .takes_any_size = true};

const am_model_type am_model_beit = {
    .name = "beit", .base_prefix = "beit", .architectures = architectures, .family = &family};

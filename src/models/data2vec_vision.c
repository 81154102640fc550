/* data2vec-vision (arXiv 2202.03555): BEiT, trained to predict what its own slower copy makes of the whole image.
   transformers: models/data2vec/modeling_data2vec_vision.py */
#include "models/blocks/beit.h"

static const am_architecture architectures[] = {
    {"Data2VecVisionModel", am_beit_model, "image-feature-extraction", 0},
    {"Data2VecVisionForImageClassification", am_beit_for_image_classification, "image-classification", 0},
    {"Data2VecVisionForSemanticSegmentation", am_beit_for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

static const am_beit_family family = {.prefix = "data2vec_vision"};

const am_model_type am_model_data2vec_vision = {
    .name = "data2vec-vision", .base_prefix = "data2vec_vision", .architectures = architectures, .family = &family};

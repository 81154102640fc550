/* ConvNeXt: a convolutional network with the proportions of a transformer. transformers:
   models/convnext/modeling_convnext.py */
#include "models/blocks/convnext.h"

static const am_architecture architectures[] = {
    {"ConvNextModel", am_convnext_model, "image-feature-extraction", 0},
    {"ConvNextForImageClassification", am_convnext_for_image_classification, "image-classification", 0},
    {"ConvNextBackbone", am_convnext_backbone, NULL, 0},
    {0},
};

static const am_convnext_family family = {.prefix = "convnext", .scales = true};

const am_model_type am_model_convnext = {
    .name = "convnext", .base_prefix = "convnext", .architectures = architectures, .family = &family};

/* ConvNeXt V2: ConvNeXt whose layers norm the responses of their channels against each other. transformers:
   models/convnextv2/modeling_convnextv2.py */
#include "models/blocks/convnext.h"

static const am_architecture architectures[] = {
    {"ConvNextV2Model", am_convnext_model, "image-feature-extraction", 0},
    {"ConvNextV2ForImageClassification", am_convnext_for_image_classification, "image-classification", 0},
    {"ConvNextV2Backbone", am_convnext_backbone, NULL, 0},
    {0},
};

static const am_convnext_family family = {.prefix = "convnextv2", .norms_responses = true};

const am_model_type am_model_convnextv2 = {
    .name = "convnextv2", .base_prefix = "convnextv2", .architectures = architectures, .family = &family};

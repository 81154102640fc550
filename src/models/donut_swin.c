/* Donut's encoder of pages: Swin without a last norm. transformers: models/donut/modeling_donut_swin.py */
#include "models/blocks/swin.h"

static const am_architecture architectures[] = {
    {"DonutSwinModel", am_swin_model, "image-feature-extraction", 0},
    {"DonutSwinForImageClassification", am_swin_for_image_classification, "image-classification", 0},
    {0},
};

static const am_swin_family family = {.prefix = "donut", .no_last_norm = true};

const am_model_type am_model_donut_swin = {
    .name = "donut-swin", .base_prefix = "donut", .architectures = architectures, .family = &family};

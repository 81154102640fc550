/* MaskFormer's Swin, whose windows keep their size on small maps, too. transformers:
   models/maskformer/modeling_maskformer_swin.py */
#include "models/blocks/swin.h"

static const am_architecture architectures[] = {
    {"MaskFormerSwinModel", am_swin_model, "image-feature-extraction", 0},
    {"MaskFormerSwinBackbone", am_swin_backbone, NULL, 0},
    {0},
};

static const am_swin_family family = {
    .prefix = "model", .keeps_windows = true, .numbers_norms = true, .hides_states = true};

const am_model_type am_model_maskformer_swin = {
    .name = "maskformer-swin", .base_prefix = "model", .architectures = architectures, .family = &family};

/* X-Codec 2: a sound as one code a frame, and back. transformers: models/xcodec2/modeling_xcodec2.py */
#include "models/blocks/xcodec2.h"

static const am_architecture architectures[] = {
    {"Xcodec2Model", am_xcodec2_model, "feature-extraction", 0},
    {0},
};

static const am_xcodec2_family family = {0};

const am_model_type am_model_xcodec2 = {
    .name = "xcodec2", .base_prefix = "xcodec2", .architectures = architectures, .family = &family};

/* NeuCodec: X-Codec 2 that decodes more samples than it reads. transformers: models/neucodec/modeling_neucodec.py */
#include "models/blocks/xcodec2.h"

static const am_architecture architectures[] = {
    {"NeuCodecModel", am_xcodec2_model, "feature-extraction", 0},
    {0},
};

static const am_xcodec2_family family = {.changes_rate = true};

const am_model_type am_model_neucodec = {
    .name = "neucodec", .base_prefix = "neucodec", .architectures = architectures, .family = &family};

/* HunYuan dense: LLaMA with an RMSNorm on each query and key head after the rotation, whose base may be raised by a
   fixed alpha. transformers: models/hunyuan_v1_dense/modeling_hunyuan_v1_dense.py */
#include "models/blocks/hunyuan.h"

static const am_architecture architectures[] = {
    {"HunYuanDenseV1Model", am_decoder_model, "feature-extraction", 0},
    {"HunYuanDenseV1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"HunYuanDenseV1ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 290943, .rms_norm_eps = 1e-5, .whole_heads = true, .has_pad_token = true},
    .adapt = am_hunyuan_adapt,
};

const am_model_type am_model_hunyuan_v1_dense = {
    .name = "hunyuan_v1_dense", .base_prefix = "model", .architectures = architectures, .family = &family};

/* The text model of Qwen2.5-Omni's thinker: Qwen2-VL's. transformers: models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#include "models/blocks/qwen_omni.h"

static const am_architecture architectures[] = {
    {"Qwen2_5OmniThinkerTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 152064,
                 .hidden_size = 3584,
                 .intermediate_size = 18944,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 28,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 32768,
                 .rope_theta = 1000000,
                 .whole_heads = true,
                 .tied = true},
    .adapt = am_qwen2_5_omni_adapt,
};

const am_model_type am_model_qwen2_5_omni_text = {
    .name = "qwen2_5_omni_text", .base_prefix = "model", .architectures = architectures, .family = &family};

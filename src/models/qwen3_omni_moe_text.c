/* The text model of Qwen3-Omni's thinker: Qwen3-VL-MoE's. transformers:
   models/qwen3_omni_moe/modeling_qwen3_omni_moe.py */
#include "models/blocks/qwen3_vl.h"
#include "models/blocks/qwen_omni.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_qwen3_omni_experts experts = {
        .count = 128, .top_k = 8, .intermediate_size = 768, .normalizes = true};
    am_qwen3_omni_adapt(c, o, &experts);
    o->after_layer = am_qwen3_vl_add_visual_states;
    if (!am_config_has(c, "layer_types")) o->cache_window = am_decoder_size_or_none(c, "sliding_window", 0);
}

static const am_architecture architectures[] = {
    {"Qwen3OmniMoeThinkerTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 3584,
                 .hidden_size = 2048,
                 .intermediate_size = 18944,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 28,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 32768,
                 .rope_theta = 1000000,
                 .whole_heads = true,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_omni_moe_text = {
    .name = "qwen3_omni_moe_text", .base_prefix = "model", .architectures = architectures, .family = &family};

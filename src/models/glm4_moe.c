/* GLM-4.5: LLaMA with the first half of each head rotated and, after the first layers, DeepSeek's mixture of experts.
   transformers: models/glm4_moe/modeling_glm4_moe.py */
#include "models/blocks/glm_moe.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "attention_bias", false);
    if (am_config_flag(c, "use_qk_norm", false)) o->qk_norm = AM_QK_NORM_HEAD;
    o->mlp = am_glm_mixture;
}

static const am_architecture architectures[] = {
    {"Glm4MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Glm4MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151552,
                 .intermediate_size = 10944,
                 .num_hidden_layers = 46,
                 .num_attention_heads = 96,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .partial_rotary_factor = 0.5,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm4_moe = {
    .name = "glm4_moe", .base_prefix = "model", .architectures = architectures, .family = &family};

/* GLM: LLaMA with biases on queries, keys and values, gate and up in one projection, and the first half of each head
   rotated in pairs that stand side by side. transformers: models/glm/modeling_glm.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->fused_gate_up = true;
    o->rotary_interleaved = true;
    o->qkv_bias = am_config_flag(c, "attention_bias", true);
}

static const am_architecture architectures[] = {
    {"GlmModel", am_decoder_model, "feature-extraction", 0},
    {"GlmForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"GlmForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"GlmForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151552,
                 .intermediate_size = 13696,
                 .num_hidden_layers = 40,
                 .num_key_value_heads = 2,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .partial_rotary_factor = 0.5,
                 .rms_norm_eps = 1.5625e-7,
                 .has_pad_token = true,
                 .pad_token_id = 151329},
    .adapt = adapt,
};

const am_model_type am_model_glm = {
    .name = "glm", .base_prefix = "model", .architectures = architectures, .family = &family};

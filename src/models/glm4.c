/* GLM-4: LLaMA with norms before and after attention and MLP, gate and up in one projection, and the first half of each
   head rotated in pairs that stand side by side. transformers: models/glm4/modeling_glm4.py */
#include "models/blocks/decoder.h"

static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                       .after_attention = "post_self_attn_layernorm",
                                       .before_mlp = "post_attention_layernorm",
                                       .after_mlp = "post_mlp_layernorm"};

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norms = &norms;
    o->fused_gate_up = true;
    o->rotary_interleaved = true;
    o->qkv_bias = am_config_flag(c, "attention_bias", true);
}

static const am_architecture architectures[] = {
    {"Glm4Model", am_decoder_model, "feature-extraction", 0},
    {"Glm4ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Glm4ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Glm4ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
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

const am_model_type am_model_glm4 = {
    .name = "glm4", .base_prefix = "model", .architectures = architectures, .family = &family};

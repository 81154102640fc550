/* Helium: LLaMA that rotates pairs standing side by side. transformers: models/helium/modeling_helium.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->rotary_interleaved = true;
}

static const am_architecture architectures[] = {
    {"HeliumModel", am_decoder_model, "feature-extraction", 0},
    {"HeliumForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"HeliumForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"HeliumForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 48000,
                 .hidden_size = 2560,
                 .intermediate_size = 7040,
                 .num_hidden_layers = 24,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 20,
                 .head_dim = 128,
                 .max_position_embeddings = 4096,
                 .rms_norm_eps = 1e-8,
                 .rope_theta = 100000,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 3},
    .adapt = adapt,
};

const am_model_type am_model_helium = {
    .name = "helium", .base_prefix = "model", .architectures = architectures, .family = &family};

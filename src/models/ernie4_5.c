/* ERNIE 4.5: LLaMA that rotates pairs standing side by side. transformers: models/ernie4_5/modeling_ernie4_5.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = o->mlp_bias = am_config_flag(c, "use_bias", false);
    o->rotary_interleaved = true;
}

static const am_architecture architectures[] = {
    {"Ernie4_5Model", am_decoder_model, "feature-extraction", 0},
    {"Ernie4_5ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 103424,
                 .hidden_size = 1024,
                 .intermediate_size = 3072,
                 .num_hidden_layers = 18,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 2,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_ernie4_5 = {
    .name = "ernie4_5", .base_prefix = "model", .architectures = architectures, .family = &family};

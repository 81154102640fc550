/* Code World Model: LLaMA where three layers of four look through a window. transformers: models/cwm/modeling_cwm.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 8192);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    else
        for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = i % 4 != 0;
}

static const am_architecture architectures[] = {
    {"CwmModel", am_decoder_model, "feature-extraction", 0},
    {"CwmForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 6144,
                 .intermediate_size = 21504,
                 .num_hidden_layers = 64,
                 .num_attention_heads = 48,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_cwm = {
    .name = "cwm", .base_prefix = "model", .architectures = architectures, .family = &family};

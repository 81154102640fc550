/* The text model of Emu3: LLaMA with another base of its rotation. transformers: models/emu3/modeling_emu3.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

static const am_architecture architectures[] = {
    {"Emu3TextModel", am_decoder_model, "feature-extraction", 0},
    {"Emu3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 184622,
                 .intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 9216,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 151643},
    .adapt = adapt,
};

const am_model_type am_model_emu3_text_model = {
    .name = "emu3_text_model", .base_prefix = "model", .architectures = architectures, .family = &family};

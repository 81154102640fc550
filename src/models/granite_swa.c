/* Granite with windows: Granite whose layers look back through a window, every fourth excepted, with a sink a head and
   a rotary base for each layer. transformers: models/granite_swa/modeling_granite_swa.py */
#include "models/blocks/granite.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    am_granite_read_windows(c, o);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->attention = am_granite_window_attention;
}

static const am_architecture architectures[] = {
    {"GraniteSWAModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteSWAForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 100352,
                 .hidden_size = 2560,
                 .intermediate_size = 8192,
                 .num_hidden_layers = 24,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 8192,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_granite_swa = {
    .name = "granite_swa", .base_prefix = "model", .architectures = architectures, .family = &family};

/* HyperCLOVA X: Granite whose parts may have a norm behind them, too, and whose logits are multiplied. transformers:
   models/hyperclovax/modeling_hyperclovax.py */
#include "models/blocks/granite.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                           .after_attention = "post_norm1",
                                           .before_mlp = "post_attention_layernorm",
                                           .after_mlp = "post_norm2"};
    am_granite_adapt(c, o);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->attention_scale = am_config_real(c, "attention_multiplier", 0);
    o->logits_multiplier = am_config_real(c, "logits_scaling", 1);
    if (am_config_flag(c, "use_post_norm", true)) o->norms = &norms;
}

static const am_architecture architectures[] = {
    {"HyperCLOVAXModel", am_decoder_model, "feature-extraction", 0},
    {"HyperCLOVAXForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_hyperclovax = {
    .name = "hyperclovax", .base_prefix = "model", .architectures = architectures, .family = &family};

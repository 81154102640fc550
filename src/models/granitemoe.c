/* Granite MoE: Granite with a mixture of experts in place of the MLP. transformers:
   models/granitemoe/modeling_granitemoe.py */
#include "models/blocks/granite.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->mlp = am_granite_mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"GraniteMoeModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteMoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {.defaults = {.whole_heads = true}, .adapt = adapt};

const am_model_type am_model_granitemoe = {
    .name = "granitemoe", .base_prefix = "model", .architectures = architectures, .family = &family};

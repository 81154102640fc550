/* Granite MoE with shared experts: Granite MoE whose layers may have a gated MLP for all tokens beside the experts.
   transformers: models/granitemoeshared/modeling_granitemoeshared.py */
#include "models/blocks/granite.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value routed = am_granite_mixture(b, x, layer);
    if (am_config_int(o->config, "shared_intermediate_size", 0) == 0) return routed;
    am_value shared = am_granite_shared_mlp(b, x, am_config_size(o->config, "shared_intermediate_size", 1), o);
    return am_add(b, routed, shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->mlp = mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"GraniteMoeSharedModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteMoeSharedForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {.defaults = {.whole_heads = true}, .adapt = adapt};

const am_model_type am_model_granitemoeshared = {
    .name = "granitemoeshared", .base_prefix = "model", .architectures = architectures, .family = &family};

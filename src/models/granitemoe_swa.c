/* Granite MoE with windows: the attention of Granite with windows, the mixture of Granite MoE and perhaps shared
   experts beside it. transformers: models/granitemoe_swa/modeling_granitemoe_swa.py */
#include "models/blocks/experts.h"
#include "models/blocks/granite.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_mixture_options options = {
        .experts = {.count = am_config_size(o->config, "num_local_experts", 8),
                    .intermediate_size = o->intermediate_size,
                    .activation = o->hidden_act,
                    .packed = true},
        .routing = {.top_k = am_config_size(o->config, "num_experts_per_tok", 2), .softmax_after = true},
        .router = "router"};
    am_scope(b, "block_sparse_moe");
    am_value routed = am_mixture(b, x, &options);
    am_end_scope(b);
    int64_t shared = am_config_int(o->config, "shared_intermediate_size", 0);
    if (shared == 0) return routed;
    return am_add(b, routed, am_granite_shared_mlp(b, x, am_config_size(o->config, "shared_intermediate_size", 1), o));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    am_granite_read_windows(c, o);
    o->attention = am_granite_window_attention;
    o->mlp = mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"GraniteMoeSWAModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteMoeSWAForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_granitemoe_swa = {
    .name = "granitemoe_swa", .base_prefix = "model", .architectures = architectures, .family = &family};

#include "models/blocks/deepseek_v2.h"

#include "models/blocks/experts.h"

/* A group is worth its best expert. */
static am_expert_routing_attributes read_routing(const am_config *c)
{
    am_expert_routing_attributes r = {.top_k = am_config_size(c, "num_experts_per_tok", 1),
                                      .scale = am_config_real(c, "routed_scaling_factor", 1)};
    if (am_config_is(c, "topk_method", "group_limited_greedy")) {
        r.groups = am_config_size(c, "n_group", 1);
        r.group_top_k = am_config_size(c, "topk_group", 1);
        r.group_best = 1;
    } else if (am_config_has(c, "topk_method") && !am_config_is(c, "topk_method", "greedy")) {
        am_config_unsupported(c, "topk_method", "expected \"greedy\" or \"group_limited_greedy\"");
    }
    return r;
}

am_value am_deepseek_v2_mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    int64_t inner = am_config_size(c, "moe_intermediate_size", 1407);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "n_routed_experts", "num_experts"), 64),
                    .intermediate_size = inner,
                    .activation = layer->options->hidden_act},
        .routing = read_routing(c),
    };
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_experts");
    inner *= am_config_size(c, "n_shared_experts", 2);
    am_value always = am_gated_mlp(b, x, inner, layer->options->hidden_act, layer->options->mlp_bias);
    am_end_scope(b);
    return am_add(b, routed, always);
}

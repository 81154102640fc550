#include "models/blocks/experts.h"

#include "models/blocks/decoder.h"
#include "models/blocks/limited_gates.h"

#include <stdio.h>

static am_value join_weights(am_builder *b, const char *before, const char *after, int64_t first, int64_t count,
                             am_shape shape)
{
    am_value parts[AM_INPUT_LIMIT];
    for (int64_t i = 0; i < count; i++) {
        am_scope(b, "%s%d%s", before, (int)(first + i), after);
        parts[i] = am_unsqueeze(b, am_weight(b, "", shape), 0);
        am_end_scope(b);
    }
    return am_concat(b, parts, (int)count, 0);
}

/* Those whose numbers are begin .. begin + count - 1. */
static am_value stack_weights(am_builder *b, const char *before, const char *after, int64_t begin, int64_t count,
                              am_shape shape)
{
    am_value all = AM_NONE;
    for (int64_t first = 0; first < count && !am_builder_failed(b); first += AM_INPUT_LIMIT) {
        int64_t more = count - first < AM_INPUT_LIMIT ? count - first : AM_INPUT_LIMIT;
        am_value joined = join_weights(b, before, after, begin + first, more, shape);
        all = first ? am_concat2(b, all, joined, 0) : joined;
    }
    return all;
}

am_value am_stacked_weights(am_builder *b, const char *before, const char *after, int64_t count, am_shape shape)
{
    return stack_weights(b, before, after, 0, count, shape);
}

/* The weights experts.N.NAME.weight .. of all experts below the scope: [count, rows, columns]. */
static am_value expert_weights(am_builder *b, const char *name, const am_experts_options *o, int64_t rows,
                               int64_t columns)
{
    char after[64];
    snprintf(after, sizeof after, ".%s.weight", name);
    return stack_weights(b, "experts.", after, o->first, o->count, am_shape_of(rows, columns));
}

am_value am_expert_sum(am_builder *b, am_value answers, am_value weights)
{
    am_value weighted = am_mul(b, answers, am_unsqueeze(b, weights, -1));
    return am_reduce(b, AM_REDUCE_SUM, weighted, am_shape_of(1), false);
}

static am_value limited_experts(am_builder *b, am_value x, am_value experts, am_value weights, am_value gate,
                                am_value up, am_value down, am_unary_fn activation, double limit)
{
    am_value inner = am_gate_of_limited(b, activation, am_grouped_matmul(b, x, experts, gate, AM_NONE),
                                        am_grouped_matmul(b, x, experts, up, AM_NONE), limit);
    return am_expert_sum(b, am_grouped_matmul(b, inner, experts, down, AM_NONE), weights);
}

am_value am_gated_experts(am_builder *b, am_value x, am_value experts, am_value weights, am_value gate, am_value up,
                          am_value down, am_unary_fn activation)
{
    return limited_experts(b, x, experts, weights, gate, up, down, activation, 0);
}

static const char *name_or(const char *name, const char *fallback)
{
    return name ? name : fallback;
}

/* The router's choice: weights and experts: [N, top_k] of x: [N, C]. */
static am_value route(am_builder *b, am_value x, const am_mixture_options *o, am_value *out_experts)
{
    am_value bias = AM_NONE, logits = am_linear(b, name_or(o->router, "gate"), x, o->experts.count, AM_NO_BIAS);
    if (o->correction_bias) {
        am_scope(b, "%s", o->bias_beside_gate ? "" : name_or(o->router, "gate"));
        bias = am_weight(b, o->correction_bias, am_shape_of(o->experts.count));
        am_end_scope(b);
    }
    return am_expert_routing(b, logits, bias, &o->routing, out_experts);
}

/* The weight NAME: [E, rows, columns], or in the file [E, columns, rows]. */
static am_value packed_weight(am_builder *b, const char *name, int64_t E, int64_t rows, int64_t columns)
{
    am_value weight = am_weight(b, name, am_shape_of(E, -1, -1));
    bool as_is = am_dim(b, weight, 1) == rows && am_dim(b, weight, 2) == columns;
    return as_is ? weight : am_permute(b, am_weight(b, name, am_shape_of(E, columns, rows)), am_shape_of(0, 2, 1));
}

/* The gates of both: [.., 2 I] on what stands behind them. */
static am_value gated(am_builder *b, am_value both, const am_experts_options *o)
{
    int64_t I = o->intermediate_size;
    if (o->limit == 0) return am_gated_activation(b, o->activation, both, AM_NONE);
    return am_gate_of_limited(b, o->activation, am_slice(b, both, -1, 0, I), am_slice(b, both, -1, I, 2 * I), o->limit);
}

static am_value packed_experts(am_builder *b, am_value x, am_value experts, am_value weights,
                               const am_experts_options *o)
{
    int64_t C = am_dim(b, x, -1), E = o->count, I = o->intermediate_size;
    am_scope(b, "experts");
    am_value both = am_grouped_matmul(b, x, experts, packed_weight(b, "gate_up_proj", E, 2 * I, C), AM_NONE);
    am_value inner = gated(b, both, o);
    x = am_grouped_matmul(b, inner, experts, packed_weight(b, "down_proj", E, C, I), AM_NONE);
    am_end_scope(b);
    return am_expert_sum(b, x, weights);
}

am_value am_chosen_experts(am_builder *b, am_value x, am_value experts, am_value weights, const am_experts_options *o)
{
    int64_t C = am_dim(b, x, -1), I = o->intermediate_size;
    if (o->packed || am_has_weight(b, "experts.gate_up_proj")) return packed_experts(b, x, experts, weights, o);
    am_value gate = expert_weights(b, name_or(o->gate, "gate_proj"), o, I, C),
             up = expert_weights(b, name_or(o->up, "up_proj"), o, I, C),
             down = expert_weights(b, name_or(o->down, "down_proj"), o, C, I);
    return limited_experts(b, x, experts, weights, gate, up, down, o->activation, o->limit);
}

am_value am_stacked_experts(am_builder *b, const char *name, am_value x, am_value experts, int64_t count, int64_t rows)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(count, rows, am_dim(b, x, -1)));
    am_value y = am_grouped_matmul(b, x, experts, weight, AM_NONE);
    am_end_scope(b);
    return y;
}

am_value am_mixture(am_builder *b, am_value x, const am_mixture_options *o)
{
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = route(b, rows, o, &experts);
    return am_reshape(b, am_chosen_experts(b, rows, experts, weights, &o->experts), am_shape_of_value(b, x));
}

am_value am_shared_expert(am_builder *b, am_value x, int64_t intermediate_size, am_unary_fn activation)
{
    am_scope(b, "shared_expert");
    am_value shared = am_gated_mlp(b, x, intermediate_size, activation, AM_NO_BIAS);
    am_end_scope(b);
    return am_mul(b, am_linear_activation(b, "shared_expert_gate", x, 1, AM_NO_BIAS, AM_SIGMOID), shared);
}

static am_expert_routing_attributes deepseek_routing(const am_config *c, const am_deepseek_fields *f)
{
    const char *groups = f->kimi_names ? am_config_either(c, "n_group", "num_expert_group") : "n_group";
    const char *top_k =
        f->kimi_names ? am_config_either(c, "num_experts_per_tok", "num_experts_per_token") : "num_experts_per_tok";
    const char *normalize = f->kimi_names ? am_config_either(c, "norm_topk_prob", "moe_renormalize") : "norm_topk_prob";
    return (am_expert_routing_attributes){
        .top_k = am_config_size(c, top_k, f->top_k),
        .groups = f->ungrouped ? 0 : am_config_count(c, groups, f->groups),
        .group_top_k = f->ungrouped ? 0 : am_config_count(c, "topk_group", f->group_top_k),
        .sigmoid = !f->softmax,
        .normalize = f->always_normalized || am_config_flag(c, normalize, !f->not_normalized),
        .scale = am_config_real(c, f->scale_key ? f->scale_key : "routed_scaling_factor", f->scale)};
}

am_value am_deepseek_mixture_of(am_builder *b, am_value x, am_unary_fn activation, const am_deepseek_fields *f)
{
    const am_config *c = am_model_config(b);
    int64_t inner = am_config_size(c, "moe_intermediate_size", f->intermediate_size);
    const char *count = f->experts_alias ? am_config_either(c, f->experts, f->experts_alias) : f->experts;
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, count, f->count),
                    .intermediate_size = inner,
                    .activation = activation,
                    .gate = f->gate,
                    .up = f->up,
                    .down = f->down,
                    .packed = f->packed},
        .routing = deepseek_routing(c, f),
        .router = f->router,
        .correction_bias = f->softmax ? NULL : name_or(f->correction_bias, "e_score_correction_bias"),
        .bias_beside_gate = f->bias_beside_gate,
    };
    am_value routed = am_mixture(b, x, &options);
    if (!f->shared) return routed;
    const char *shared = f->kimi_names ? am_config_either(c, "n_shared_experts", "num_shared_experts") : f->shared;
    am_scope(b, "%s", name_or(f->shared_scope, "shared_experts"));
    am_value always = am_gated_mlp(b, x, inner * am_config_size(c, shared, 1), activation, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, routed, always);
}

am_value am_deepseek_mixture(am_builder *b, am_value x, am_unary_fn activation)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "n_shared_experts",
                                              .count = 256,
                                              .intermediate_size = 2048,
                                              .top_k = 8,
                                              .groups = 8,
                                              .group_top_k = 4,
                                              .scale = 2.5};
    return am_deepseek_mixture_of(b, x, activation, &fields);
}

am_value am_mixtral_mixture(am_builder *b, am_value x, int64_t intermediate_size, am_unary_fn activation)
{
    const am_config *c = am_model_config(b);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 8),
                    .intermediate_size = intermediate_size,
                    .activation = activation,
                    .gate = "w1",
                    .up = "w3",
                    .down = "w2"},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 2), .normalize = true},
    };
    return am_mixture(b, x, &options);
}

bool am_is_mixture_layer(const am_config *c, int layer, int64_t dense)
{
    if (!am_config_has(c, "mlp_layer_types")) return layer >= dense;
    return am_config_layer_is(c, "mlp_layer_types", layer, "sparse", "dense");
}

bool am_is_sparse_layer(const am_config *c, int layer)
{
    int64_t step = am_config_size(c, "decoder_sparse_step", 1);
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "mlp_only_layers")); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return false;
    return (layer + 1) % step == 0;
}

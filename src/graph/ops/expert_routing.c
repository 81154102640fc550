#include "graph/ops/check.h"

#include <math.h>

static am_status check_groups(const am_expert_routing_attributes *a, int64_t experts)
{
    int64_t best = a->group_best ? a->group_best : 2;
    if (a->groups < 0 || experts % a->groups || a->group_top_k < 1 || a->group_top_k > a->groups)
        return am_error(AM_INVALID_ARGUMENT, "%lld experts do not fall into %lld groups of which %lld are taken",
                        (long long)experts, (long long)a->groups, (long long)a->group_top_k);
    int64_t members = experts / a->groups;
    if (best < 1 || best > members)
        return am_error(AM_INVALID_ARGUMENT, "groups of %lld experts are too small", (long long)members);
    return NULL;
}

static am_status infer(am_infer *c)
{
    const am_expert_routing_attributes *a = c->attributes;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_float(c, 1));
    AM_TRY(am_check_rank(c, 0, 2));
    int64_t rows = c->inputs[0]->shape.dims[0], experts = c->inputs[0]->shape.dims[1];
    am_shape bias = am_shape_of(experts), shape = am_shape_of(rows, a->top_k);
    AM_TRY(am_check_shape(c, 1, &bias));
    if (a->top_k < 1 || a->top_k > experts || experts > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "cannot choose %lld of %lld experts", (long long)a->top_k,
                        (long long)experts);
    if (a->groups) AM_TRY(check_groups(a, experts));
    c->outputs[0] = (am_value_info){.dtype = c->inputs[0]->dtype, .shape = shape};
    c->outputs[1] = (am_value_info){.dtype = AM_I32, .shape = shape};
    c->output_count = 2;
    return NULL;
}

/* score: [N, E] with minus infinity wherever the group is not among the best. */
static am_value mask_groups(am_builder *b, am_value score, const am_expert_routing_attributes *a)
{
    int64_t rows = am_dim(b, score, 0), members = am_dim(b, score, 1) / a->groups;
    am_dtype dtype = am_dtype_of(b, score);
    am_value grouped = am_reshape(b, score, am_shape_of(rows, a->groups, members)), chosen;
    am_value best = am_top_k(b, grouped, 2, a->group_best ? a->group_best : 2, false, NULL);
    am_top_k(b, am_reduce(b, AM_REDUCE_SUM, best, am_shape_of(2), false), 1, a->group_top_k, false, &chosen);
    am_value none = am_broadcast(b, am_scalar(b, dtype, 0), am_shape_of(rows, a->groups));
    am_value ones = am_broadcast(b, am_scalar(b, dtype, 1), am_shape_of(rows, a->group_top_k));
    am_value mask = am_scatter(b, none, chosen, ones, &(am_scatter_attributes){.axis = 1, .elementwise = true});
    mask = am_unsqueeze(b, am_binary_number(b, AM_GREATER, mask, 0), 2);
    am_value kept = am_select(b, mask, grouped, am_scalar(b, dtype, -INFINITY));
    return am_reshape(b, kept, am_shape_of(rows, a->groups * members));
}

static am_value weights_of(am_builder *b, am_value chosen, const am_expert_routing_attributes *a)
{
    if (a->softmax_after) chosen = am_softmax(b, chosen, 1);
    if (a->normalize) chosen = am_div(b, chosen, am_add_number(b, am_reduce_last(b, AM_REDUCE_SUM, chosen), 1e-20));
    return a->scale != 0 && a->scale != 1 ? am_mul_number(b, chosen, a->scale) : chosen;
}

static void expand(am_builder *b, const am_node *node, const am_value *inputs, am_value *outputs)
{
    const am_expert_routing_attributes *a = node->attributes;
    am_dtype dtype = am_dtype_of(b, inputs[0]), wide = dtype == AM_F64 ? AM_F64 : AM_F32;
    am_value scores = am_cast(b, inputs[0], wide);
    if (!a->softmax_after) scores = a->sigmoid ? am_unary(b, AM_SIGMOID, scores) : am_softmax(b, scores, 1);
    am_value ranking = scores;
    if (node->input_count > 1 && inputs[1].id) ranking = am_add(b, scores, am_cast(b, inputs[1], wide));
    if (a->groups) ranking = mask_groups(b, ranking, a);
    am_top_k(b, ranking, 1, a->top_k, false, &outputs[1]);
    outputs[0] = am_cast(b, weights_of(b, am_gather(b, scores, outputs[1], 1, true), a), dtype);
}

am_value am_expert_routing(am_builder *b, am_value logits, am_value bias, const am_expert_routing_attributes *options,
                           am_value *out_experts)
{
    am_value outputs[2] = {AM_NONE, AM_NONE};
    am_add_node(b, AM_OP_EXPERT_ROUTING, (am_value[]){logits, bias}, 2, options, outputs);
    if (out_experts) *out_experts = outputs[1];
    return outputs[0];
}

static const am_field fields[] = {AM_FIELD(am_expert_routing_attributes, INT, top_k),
                                  AM_FIELD(am_expert_routing_attributes, INT, groups),
                                  AM_FIELD(am_expert_routing_attributes, INT, group_top_k),
                                  AM_FIELD(am_expert_routing_attributes, INT, group_best),
                                  AM_FIELD(am_expert_routing_attributes, BOOL, sigmoid),
                                  AM_FIELD(am_expert_routing_attributes, BOOL, normalize),
                                  AM_FIELD(am_expert_routing_attributes, BOOL, softmax_after),
                                  AM_FIELD(am_expert_routing_attributes, REAL, scale),
                                  AM_FIELDS_END};

const am_op am_op_expert_routing = {
    .name = "expert_routing",
    .summary = "Chooses the experts of each row from router logits, best first, and their weights.",
    .min_inputs = 1,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_expert_routing_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};

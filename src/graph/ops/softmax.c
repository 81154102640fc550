#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_softmax_attributes *a = c->attributes;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_axis(c, a->axis));
    return am_infer_one(c, c->inputs[0]->dtype, &c->inputs[0]->shape);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_softmax_attributes *a = node->attributes;
    am_shape axes = am_shape_of(a->axis);
    if (am_dim(b, in[0], (int)a->axis) == 0) { /* nothing to take a maximum of */
        out[0] = am_add_node(b, AM_OP_UNARY, in, 1, &(am_unary_attributes){AM_EXP}, NULL);
        return;
    }
    am_value shifted = am_sub(b, in[0], am_reduce(b, AM_REDUCE_MAX, in[0], axes, true));
    am_value e = am_unary(b, AM_EXP, shifted), sum = am_reduce(b, AM_REDUCE_SUM, e, axes, true);
    out[0] = a->log ? am_sub(b, shifted, am_unary(b, AM_LOG, sum)) : am_div(b, e, sum);
}

static am_value softmax(am_builder *b, am_value x, int axis, bool log)
{
    am_softmax_attributes a = {.axis = am_builder_axis(b, x, axis), .log = log};
    return am_add_node(b, AM_OP_SOFTMAX, &x, 1, &a, NULL);
}

am_value am_softmax(am_builder *b, am_value x, int axis)
{
    return softmax(b, x, axis, false);
}

am_value am_log_softmax(am_builder *b, am_value x, int axis)
{
    return softmax(b, x, axis, true);
}

static const am_field fields[] = {AM_FIELD(am_softmax_attributes, INT, axis),
                                  AM_FIELD(am_softmax_attributes, BOOL, log), AM_FIELDS_END};

const am_op am_op_softmax = {
    .name = "softmax",
    .summary = "exp(x) over its sum along one axis, or the logarithm of that.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_softmax_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};

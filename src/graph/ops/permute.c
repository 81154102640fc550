#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_permute_attributes *a = c->attributes;
    const am_shape *from = &c->inputs[0]->shape;
    am_shape shape = {.rank = from->rank};
    unsigned seen = 0;
    AM_TRY(a->order.rank == from->rank
               ? NULL
               : am_error(AM_INVALID_ARGUMENT, "an order of %d axes for rank %d", a->order.rank, from->rank));
    for (int i = 0; i < from->rank; i++) {
        int64_t axis = a->order.dims[i];
        if (axis < 0 || axis >= from->rank || seen >> axis & 1)
            return am_error(AM_INVALID_ARGUMENT, "order names axis %lld, which is no axis or named twice",
                            (long long)axis);
        seen |= 1u << axis;
        shape.dims[i] = from->dims[axis];
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_permute(am_builder *b, am_value x, am_shape order)
{
    am_permute_attributes a = {order};
    return am_add_node(b, AM_OP_PERMUTE, &x, 1, &a, NULL);
}

am_value am_transpose(am_builder *b, am_value x, int axis_a, int axis_b)
{
    am_shape order = {.rank = am_rank(b, x)};
    int i = am_builder_axis(b, x, axis_a), k = am_builder_axis(b, x, axis_b);
    for (int axis = 0; axis < order.rank; axis++) order.dims[axis] = axis == i ? k : axis == k ? i : axis;
    return am_permute(b, x, order);
}

static const am_field fields[] = {AM_FIELD(am_permute_attributes, INTS, order), AM_FIELDS_END};

const am_op am_op_permute = {
    .name = "permute",
    .summary = "Reorders dimensions.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_permute_attributes),
    .infer = infer,
};

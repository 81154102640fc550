#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_shape_attributes *a = c->attributes;
    if (!am_shape_check(&a->shape)) return am_error(AM_INVALID_ARGUMENT, "the wanted shape is no shape");
    AM_TRY(am_check_broadcasts(c, 0, &a->shape));
    return am_infer_one(c, c->inputs[0]->dtype, &a->shape);
}

am_value am_broadcast(am_builder *b, am_value x, am_shape shape)
{
    am_shape from = am_shape_of_value(b, x);
    if (x.id && am_shape_equal(&from, &shape)) return x;
    am_shape_attributes a = {shape};
    return am_add_node(b, AM_OP_BROADCAST, &x, 1, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_shape_attributes, INTS, shape), AM_FIELDS_END};

const am_op am_op_broadcast = {
    .name = "broadcast",
    .summary = "Repeats dimensions of size 1, and adds leading ones, as NumPy does.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_shape_attributes),
    .infer = infer,
};

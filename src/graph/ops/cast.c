#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_cast_attributes *a = c->attributes;
    return am_infer_one(c, a->dtype, &c->inputs[0]->shape);
}

am_value am_cast(am_builder *b, am_value x, am_dtype dtype)
{
    if (x.id && am_dtype_of(b, x) == dtype) return x;
    am_cast_attributes a = {dtype};
    return am_add_node(b, AM_OP_CAST, &x, 1, &a, NULL);
}

am_value am_cast_like(am_builder *b, am_value x, am_value other)
{
    return x.id && other.id ? am_cast(b, x, am_dtype_of(b, other)) : x;
}

static const am_field fields[] = {AM_FIELD(am_cast_attributes, DTYPE, dtype), AM_FIELDS_END};

const am_op am_op_cast = {
    .name = "cast",
    .summary = "Converts to another dtype: to nearest even, reals into integers toward zero.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_cast_attributes),
    .infer = infer,
};

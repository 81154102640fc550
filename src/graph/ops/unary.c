#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_unary_attributes *a = c->attributes;
    am_dtype dtype;
    if (!am_unary_result((am_unary_fn)a->fn, c->inputs[0]->dtype, &dtype))
        return am_error(AM_INVALID_ARGUMENT, "%s is not defined for %s", am_unary_names[a->fn],
                        am_dtype_name(c->inputs[0]->dtype));
    return am_infer_one(c, dtype, &c->inputs[0]->shape);
}

am_value am_unary(am_builder *b, am_unary_fn fn, am_value x)
{
    am_unary_attributes a = {(int)fn};
    return fn == AM_IDENTITY ? x : am_add_node(b, AM_OP_UNARY, &x, 1, &a, NULL);
}

am_value am_soft_cap(am_builder *b, am_value x, double cap)
{
    return am_mul_number(b, am_unary(b, AM_TANH, am_binary_number(b, AM_DIV, x, cap)), cap);
}

static const am_field fields[] = {AM_FIELD_OF_ENUM(am_unary_attributes, fn, am_unary_names), AM_FIELDS_END};

const am_op am_op_unary = {
    .name = "unary",
    .summary = "A scalar function of every element.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_unary_attributes),
    .infer = infer,
};

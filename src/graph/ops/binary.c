#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_binary_attributes *a = c->attributes;
    char x_text[AM_SHAPE_TEXT], y_text[AM_SHAPE_TEXT];
    am_shape shape;
    am_dtype dtype;
    AM_TRY(am_check_dtype(c, 1, c->inputs[0]->dtype));
    if (!am_binary_result((am_binary_fn)a->fn, c->inputs[0]->dtype, &dtype))
        return am_error(AM_INVALID_ARGUMENT, "%s is not defined for %s", am_binary_names[a->fn],
                        am_dtype_name(c->inputs[0]->dtype));
    if (!am_shape_broadcast(&c->inputs[0]->shape, &c->inputs[1]->shape, &shape))
        return am_error(AM_INVALID_ARGUMENT, "%s: shapes %s and %s do not fit", am_binary_names[a->fn],
                        am_shape_text(&c->inputs[0]->shape, x_text), am_shape_text(&c->inputs[1]->shape, y_text));
    return am_infer_one(c, dtype, &shape);
}

am_value am_binary(am_builder *b, am_binary_fn fn, am_value x, am_value y)
{
    am_binary_attributes a = {(int)fn};
    return am_add_node(b, AM_OP_BINARY, (am_value[]){x, y}, 2, &a, NULL);
}

am_value am_add(am_builder *b, am_value x, am_value y)
{
    return am_binary(b, AM_ADD, x, y);
}

am_value am_sub(am_builder *b, am_value x, am_value y)
{
    return am_binary(b, AM_SUB, x, y);
}

am_value am_mul(am_builder *b, am_value x, am_value y)
{
    return am_binary(b, AM_MUL, x, y);
}

am_value am_div(am_builder *b, am_value x, am_value y)
{
    return am_binary(b, AM_DIV, x, y);
}

am_value am_binary_number(am_builder *b, am_binary_fn fn, am_value x, double y)
{
    return am_binary(b, fn, x, am_scalar(b, am_dtype_of(b, x), y));
}

am_value am_add_number(am_builder *b, am_value x, double y)
{
    return y == 0 ? x : am_binary_number(b, AM_ADD, x, y);
}

am_value am_mul_number(am_builder *b, am_value x, double y)
{
    return y == 1 ? x : am_binary_number(b, AM_MUL, x, y);
}

static const am_field fields[] = {AM_FIELD_OF_ENUM(am_binary_attributes, fn, am_binary_names), AM_FIELDS_END};

const am_op am_op_binary = {
    .name = "binary",
    .summary = "A scalar function of two tensors of one dtype, broadcast against each other.",
    .min_inputs = 2,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_binary_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_linear_attributes *a = c->attributes;
    const am_shape *w = &c->inputs[1]->shape;
    am_shape shape = c->inputs[0]->shape;
    char x_text[AM_SHAPE_TEXT], w_text[AM_SHAPE_TEXT];
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_float(c, 1));
    AM_TRY(am_check_rank(c, 1, 2));
    if (shape.rank < 1 || shape.dims[shape.rank - 1] != w->dims[a->in_out ? 0 : 1])
        return am_error(AM_INVALID_ARGUMENT, "input of shape %s does not fit a weight of shape %s",
                        am_shape_text(&shape, x_text), am_shape_text(w, w_text));
    shape.dims[shape.rank - 1] = w->dims[a->in_out ? 1 : 0];
    AM_TRY(am_check_float(c, 2));
    am_shape bias = am_shape_of(shape.dims[shape.rank - 1]);
    AM_TRY(am_check_shape(c, 2, &bias));
    AM_TRY(am_check_dtype(c, 3, c->inputs[0]->dtype));
    AM_TRY(am_check_shape(c, 3, &shape));
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_linear_attributes *a = node->attributes;
    am_dtype dtype = am_dtype_of(b, in[0]);
    am_value x = am_rank(b, in[0]) == 1 ? am_unsqueeze(b, in[0], 0) : in[0];
    am_value y = am_matmul(b, x, am_cast(b, in[1], dtype), false, !a->in_out);
    if (am_rank(b, in[0]) == 1) y = am_squeeze(b, y, 0);
    if (in[2].id) y = am_add(b, y, am_cast(b, in[2], dtype));
    y = am_unary(b, (am_unary_fn)a->activation, y);
    out[0] = in[3].id ? am_add(b, y, in[3]) : y;
}

am_value am_linear_op(am_builder *b, am_value x, am_value weight, am_value bias, am_value residual,
                      const am_linear_attributes *options)
{
    return am_add_node(b, AM_OP_LINEAR, (am_value[]){x, weight, am_cast_like(b, bias, x), residual}, 4, options, NULL);
}

static const am_field fields[] = {AM_FIELD(am_linear_attributes, BOOL, in_out),
                                  AM_FIELD_OF_ENUM(am_linear_attributes, activation, am_unary_names), AM_FIELDS_END};

const am_op am_op_linear = {
    .name = "linear",
    .summary = "activation(x W^T + bias) + residual, the weight in any float dtype.",
    .min_inputs = 2,
    .max_inputs = 4,
    .fields = fields,
    .attributes_bytes = sizeof(am_linear_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};

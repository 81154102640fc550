#include "graph/ops/check.h"

enum { C = AM_QUANTIZED_COLUMNS };

/* Numbers that lie in the four bytes of a column: neighbours along K. */
static int64_t together(const am_quantized_linear_attributes *a)
{
    return a->bits == 8 ? 4 : 8;
}

static am_status check_attributes(const am_quantized_linear_attributes *a, int64_t K)
{
    if (a->bits != 8 && a->bits != 4)
        return am_error(AM_INVALID_ARGUMENT, "weights of %lld bits, expected 8 or 4", (long long)a->bits);
    if (a->columns < 1) return am_error(AM_INVALID_ARGUMENT, "%lld columns", (long long)a->columns);
    if (K % together(a))
        return am_error(AM_INVALID_ARGUMENT, "rows of %lld numbers, expected a multiple of %lld", (long long)K,
                        (long long)together(a));
    if (a->group < 1 || K % a->group)
        return am_error(AM_INVALID_ARGUMENT, "rows of %lld numbers do not fall into groups of %lld", (long long)K,
                        (long long)a->group);
    return NULL;
}

static am_status infer(am_infer *c)
{
    const am_quantized_linear_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    AM_TRY(am_check_float(c, 0));
    if (shape.rank < 1) return am_error(AM_INVALID_ARGUMENT, "input 0 must have a dimension");
    int64_t K = shape.dims[shape.rank - 1], panels = (a->columns - 1) / C + 1;
    AM_TRY(check_attributes(a, K));
    am_shape weight = am_shape_of(panels, K / together(a), C, 4), scales = am_shape_of(panels, K / a->group, C);
    am_shape bias = am_shape_of(a->columns);
    AM_TRY(am_check_dtype(c, 1, AM_U8));
    AM_TRY(am_check_shape(c, 1, &weight));
    AM_TRY(am_check_float(c, 2));
    AM_TRY(am_check_shape(c, 2, &scales));
    AM_TRY(am_check_dtype(c, 3, AM_U8));
    AM_TRY(am_check_shape(c, 3, &scales));
    AM_TRY(am_check_float(c, 4));
    AM_TRY(am_check_shape(c, 4, &bias));
    shape.dims[shape.rank - 1] = a->columns;
    AM_TRY(am_check_dtype(c, 5, c->inputs[0]->dtype));
    AM_TRY(am_check_shape(c, 5, &shape));
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

/* [P, K / 8, C, 4] of two numbers each as [P, K / 8, C, 8]. */
static am_value halves(am_builder *b, am_value weight)
{
    am_value lower = am_binary(b, AM_BIT_AND, weight, am_scalar(b, AM_U8, 15));
    return am_concat2(b, lower, am_div(b, weight, am_scalar(b, AM_U8, 16)), 3);
}

/* What stands once a group, [P, K / group, C], as [P C, K / group, 1] in dtype. */
static am_value of_groups(am_builder *b, am_value x, am_dtype dtype)
{
    am_shape shape = am_shape_of_value(b, x);
    x = am_permute(b, am_cast(b, x, dtype), am_shape_of(0, 2, 1));
    return am_reshape(b, x, am_shape_of(shape.dims[0] * C, shape.dims[1], 1));
}

/* The weight as numbers: [N, K] in dtype. */
static am_value dequantize(am_builder *b, const am_quantized_linear_attributes *a, const am_value *in, am_dtype dtype)
{
    am_value q = am_cast(b, a->bits == 8 ? in[1] : halves(b, in[1]), dtype);
    am_shape shape = am_shape_of_value(b, q);
    int64_t rows = shape.dims[0] * C, K = shape.dims[1] * shape.dims[3];
    q = am_reshape(b, am_permute(b, q, am_shape_of(0, 2, 1, 3)), am_shape_of(rows, K / a->group, a->group));
    if (in[3].id) q = am_sub(b, q, of_groups(b, in[3], dtype));
    else q = am_add_number(b, q, a->bits == 8 ? -128 : -8);
    q = am_mul(b, q, of_groups(b, in[2], dtype));
    return am_slice(b, am_reshape(b, q, am_shape_of(rows, K)), 0, 0, a->columns);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_quantized_linear_attributes *a = node->attributes;
    am_value weight = dequantize(b, a, in, am_dtype_of(b, in[0]));
    out[0] = am_linear_op(b, in[0], weight, in[4], in[5], &(am_linear_attributes){.activation = a->activation});
}

am_value am_quantized_linear(am_builder *b, const am_quantized_linear_inputs *i,
                             const am_quantized_linear_attributes *options)
{
    return am_add_node(b, AM_OP_QUANTIZED_LINEAR,
                       (am_value[]){i->x, i->weight, i->scales, i->zero_points, i->bias, i->residual}, 6, options,
                       NULL);
}

static const am_field fields[] = {
    AM_FIELD(am_quantized_linear_attributes, INT, bits), AM_FIELD(am_quantized_linear_attributes, INT, columns),
    AM_FIELD(am_quantized_linear_attributes, INT, group),
    AM_FIELD_OF_ENUM(am_quantized_linear_attributes, activation, am_unary_names), AM_FIELDS_END};

const am_op am_op_quantized_linear = {
    .name = "quantized_linear",
    .summary = "linear with a weight of 8 or 4 bits a number, a scale and a zero point for each group along K.",
    .min_inputs = 3,
    .max_inputs = 6,
    .fields = fields,
    .attributes_bytes = sizeof(am_quantized_linear_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};

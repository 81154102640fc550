#include "graph/ops/check.h"

static bool over_last(const am_norm_attributes *a)
{
    return a->kind == AM_NORM_LAYER || a->kind == AM_NORM_RMS;
}

static am_status infer(am_infer *c)
{
    const am_norm_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape;
    int axis = over_last(a) ? x->rank - 1 : 1;
    AM_TRY(am_check_float(c, 0));
    if (axis < 0 || axis >= x->rank)
        return am_error(AM_INVALID_ARGUMENT, "a tensor of rank %d has no channels", x->rank);
    am_shape channels = am_shape_of(x->dims[axis]);
    for (int i = 1; i < c->input_count; i++) {
        AM_TRY(am_check_float(c, i));
        AM_TRY(am_check_shape(c, i, &channels));
    }
    if (a->kind == AM_NORM_BATCH && (c->input_count < 5 || !c->inputs[3] || !c->inputs[4]))
        return am_error(AM_INVALID_ARGUMENT, "batch norm needs mean and variance");
    if (a->kind == AM_NORM_GROUP && (a->groups < 1 || channels.dims[0] % a->groups != 0))
        return am_error(AM_INVALID_ARGUMENT, "%lld channels in %lld groups", (long long)channels.dims[0],
                        (long long)a->groups);
    return am_infer_one(c, c->inputs[0]->dtype, x);
}

/* [C] as [C, 1, ..] so that it broadcasts along axis 1 of x. */
static am_value channels_first(am_builder *b, am_value v, int rank)
{
    am_shape shape = {.rank = rank - 1};
    for (int i = 0; i < shape.rank; i++) shape.dims[i] = i ? 1 : am_dim(b, v, 0);
    return am_reshape(b, v, shape);
}

static am_value scaled(am_builder *b, am_value centred, am_value variance, double eps)
{
    return am_mul(b, centred, am_unary(b, AM_RSQRT, am_add_number(b, variance, eps)));
}

static am_value normalize_last(am_builder *b, am_value x, bool centre, double eps)
{
    am_value centred = centre ? am_sub(b, x, am_reduce_last(b, AM_REDUCE_MEAN, x)) : x;
    return scaled(b, centred, am_reduce_last(b, AM_REDUCE_MEAN, am_unary(b, AM_SQUARE, centred)), eps);
}

static am_value normalize_groups(am_builder *b, am_value x, const am_norm_attributes *a)
{
    am_shape shape = am_shape_of_value(b, x);
    int64_t rows = shape.dims[0] * a->groups;
    am_value grouped = am_reshape(b, x, am_shape_of(rows, rows ? am_shape_count(&shape) / rows : 0));
    return am_reshape(b, normalize_last(b, grouped, true, a->eps), shape);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_norm_attributes *a = node->attributes;
    int rank = am_rank(b, in[0]);
    am_dtype dtype = am_dtype_of(b, in[0]);
    am_value p[5] = {in[0]}, y;
    for (int i = 1; i < 5 && i < node->input_count; i++) {
        p[i] = in[i].id ? am_cast(b, in[i], dtype) : AM_NONE;
        if (i == 1 && p[i].id) p[i] = am_add_number(b, p[i], a->weight_offset);
        if (p[i].id && !over_last(a)) p[i] = channels_first(b, p[i], rank);
    }
    if (a->kind == AM_NORM_BATCH) y = scaled(b, am_sub(b, in[0], p[3]), p[4], a->eps);
    else if (a->kind == AM_NORM_GROUP) y = normalize_groups(b, in[0], a);
    else y = normalize_last(b, in[0], a->kind == AM_NORM_LAYER, a->eps);
    if (p[1].id) y = am_mul(b, y, p[1]);
    out[0] = p[2].id ? am_add(b, y, p[2]) : y;
}

am_value am_norm_op(am_builder *b, am_value x, am_value weight, am_value bias, am_value mean, am_value variance,
                    const am_norm_attributes *options)
{
    return am_add_node(b, AM_OP_NORM, (am_value[]){x, weight, bias, mean, variance}, 5, options, NULL);
}

static const char *const kinds[] = {"layer", "rms", "group", "batch", NULL};
static const am_field fields[] = {AM_FIELD_OF_ENUM(am_norm_attributes, kind, kinds),
                                  AM_FIELD(am_norm_attributes, REAL, eps), AM_FIELD(am_norm_attributes, INT, groups),
                                  AM_FIELD(am_norm_attributes, REAL, weight_offset), AM_FIELDS_END};

const am_op am_op_norm = {
    .name = "norm",
    .summary = "Layer, RMS, group or batch normalization with optional weight and bias.",
    .min_inputs = 1,
    .max_inputs = 5,
    .fields = fields,
    .attributes_bytes = sizeof(am_norm_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};

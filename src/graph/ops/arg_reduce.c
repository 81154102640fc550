#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_arg_reduce_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape;
    am_shape shape = {0};
    AM_TRY(am_check_axis(c, a->axis));
    int64_t size = x->dims[a->axis];
    if (size < 1 || size > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "takes 1..2^31 elements along axis %lld, found %lld", (long long)a->axis,
                        (long long)size);
    for (int i = 0; i < x->rank; i++)
        if (i != a->axis) shape.dims[shape.rank++] = x->dims[i];
    return am_infer_one(c, AM_I32, &shape);
}

am_value am_arg_reduce(am_builder *b, am_value x, int axis, bool is_min)
{
    am_arg_reduce_attributes a = {.is_min = is_min, .axis = am_builder_axis(b, x, axis)};
    return am_add_node(b, AM_OP_ARG_REDUCE, &x, 1, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_arg_reduce_attributes, BOOL, is_min),
                                  AM_FIELD(am_arg_reduce_attributes, INT, axis), AM_FIELDS_END};

const am_op am_op_arg_reduce = {
    .name = "arg_reduce",
    .summary = "Index of the first largest (or smallest) element along one axis; NaN wins over all numbers.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_arg_reduce_attributes),
    .infer = infer,
};

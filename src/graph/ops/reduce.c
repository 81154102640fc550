#include "graph/ops/check.h"

static am_status check_dtype(int fn, am_dtype dtype)
{
    bool logical = fn == AM_REDUCE_ANY || fn == AM_REDUCE_ALL;
    bool fits = logical ? dtype == AM_BOOL : fn == AM_REDUCE_MEAN ? am_dtype_is_float(dtype) : dtype != AM_BOOL;
    return fits ? NULL
                : am_error(AM_INVALID_ARGUMENT, "%s is not defined for %s", am_reduce_names[fn], am_dtype_name(dtype));
}

static am_status infer(am_infer *c)
{
    const am_reduce_attributes *a = c->attributes;
    const am_shape *from = &c->inputs[0]->shape;
    am_shape shape = {0};
    int next = 0;
    AM_TRY(check_dtype(a->fn, c->inputs[0]->dtype));
    for (int i = 0; i < from->rank; i++) {
        bool reduced = next < a->axes.rank && a->axes.dims[next] == i;
        if (reduced) next++;
        if (!reduced || a->keep_dims) shape.dims[shape.rank++] = reduced ? 1 : from->dims[i];
        if (reduced && from->dims[i] == 0 && (a->fn == AM_REDUCE_MAX || a->fn == AM_REDUCE_MIN))
            return am_error(AM_INVALID_ARGUMENT, "%s of nothing: axis %d is empty", am_reduce_names[a->fn], i);
    }
    if (next != a->axes.rank)
        return am_error(AM_INVALID_ARGUMENT, "axes must be sorted, unique and below rank %d", from->rank);
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_reduce(am_builder *b, am_reduce_fn fn, am_value x, am_shape axes, bool keep_dims)
{
    am_reduce_attributes a = {.fn = (int)fn, .keep_dims = keep_dims};
    bool wanted[AM_RANK_LIMIT] = {false};
    for (int i = 0; i < axes.rank; i++) wanted[am_builder_axis(b, x, (int)axes.dims[i])] = true;
    for (int i = 0; i < AM_RANK_LIMIT; i++)
        if (wanted[i]) a.axes.dims[a.axes.rank++] = i;
    return am_add_node(b, AM_OP_REDUCE, &x, 1, &a, NULL);
}

am_value am_reduce_last(am_builder *b, am_reduce_fn fn, am_value x)
{
    return am_reduce(b, fn, x, am_shape_of(-1), true);
}

static const am_field fields[] = {AM_FIELD_OF_ENUM(am_reduce_attributes, fn, am_reduce_names),
                                  AM_FIELD(am_reduce_attributes, INTS, axes),
                                  AM_FIELD(am_reduce_attributes, BOOL, keep_dims), AM_FIELDS_END};

const am_op am_op_reduce = {
    .name = "reduce",
    .summary = "Sum, mean, max, min, product, any or all over some axes.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_reduce_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

am_status am_infer_one(am_infer *c, am_dtype dtype, const am_shape *shape)
{
    c->outputs[0] = (am_value_info){.dtype = dtype, .shape = *shape};
    c->output_count = 1;
    return NULL;
}

static const am_value_info *present(const am_infer *c, int i)
{
    return i < c->input_count ? c->inputs[i] : NULL;
}

am_status am_check_float(const am_infer *c, int i)
{
    const am_value_info *x = present(c, i);
    if (!x || am_dtype_is_float(x->dtype)) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must be of a float type, found %s", i, am_dtype_name(x->dtype));
}

am_status am_check_index(const am_infer *c, int i)
{
    const am_value_info *x = present(c, i);
    if (!x || x->dtype == AM_I32 || x->dtype == AM_I64) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must hold indices (i32 or i64), found %s", i,
                    am_dtype_name(x->dtype));
}

am_status am_check_dtype(const am_infer *c, int i, am_dtype dtype)
{
    const am_value_info *x = present(c, i);
    if (!x || x->dtype == dtype) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must be %s, found %s", i, am_dtype_name(dtype),
                    am_dtype_name(x->dtype));
}

am_status am_check_rank(const am_infer *c, int i, int rank)
{
    char text[AM_SHAPE_TEXT];
    const am_value_info *x = present(c, i);
    if (!x || x->shape.rank == rank) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must have rank %d, found shape %s", i, rank,
                    am_shape_text(&x->shape, text));
}

am_status am_check_shape(const am_infer *c, int i, const am_shape *shape)
{
    char expected[AM_SHAPE_TEXT], found[AM_SHAPE_TEXT];
    const am_value_info *x = present(c, i);
    if (!x || am_shape_equal(&x->shape, shape)) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must have shape %s, found %s", i, am_shape_text(shape, expected),
                    am_shape_text(&x->shape, found));
}

am_status am_check_broadcasts(const am_infer *c, int i, const am_shape *shape)
{
    char expected[AM_SHAPE_TEXT], found[AM_SHAPE_TEXT];
    am_shape both;
    const am_value_info *x = present(c, i);
    if (!x || (am_shape_broadcast(&x->shape, shape, &both) && am_shape_equal(&both, shape))) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "input %d must broadcast to %s, found shape %s", i,
                    am_shape_text(shape, expected), am_shape_text(&x->shape, found));
}

am_status am_check_axis(const am_infer *c, int64_t axis)
{
    if (axis >= 0 && axis < c->inputs[0]->shape.rank) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "axis %lld is not one of the %d dimensions", (long long)axis,
                    c->inputs[0]->shape.rank);
}

int am_builder_axis(am_builder *b, am_value x, int axis)
{
    am_shape shape = am_shape_of_value(b, x);
    int found = am_shape_axis(&shape, axis);
    if (found >= 0) return found;
    if (!am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "axis %d of a tensor of rank %d", axis, shape.rank));
    return 0;
}

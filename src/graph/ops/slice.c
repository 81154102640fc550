#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_slice_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    AM_TRY(am_check_axis(c, a->axis));
    int64_t size = shape.dims[a->axis];
    bool bounded = a->step != 0 && a->step > -(INT64_C(1) << 40) && a->step < INT64_C(1) << 40 && a->count >= 0 &&
                   a->count <= size;
    int64_t last = bounded ? a->start + (a->count - 1) * a->step : -1;
    if (!bounded || (a->count > 0 && (a->start < 0 || a->start >= size || last < 0 || last >= size)))
        return am_error(AM_INVALID_ARGUMENT, "start %lld, count %lld, step %lld leave an axis of size %lld",
                        (long long)a->start, (long long)a->count, (long long)a->step, (long long)size);
    shape.dims[a->axis] = a->count;
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

am_value am_slice_step(am_builder *b, am_value x, int axis, int64_t start, int64_t stop, int64_t step)
{
    int at = am_builder_axis(b, x, axis);
    int64_t size = am_dim(b, x, axis), low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    start = clamp(start < 0 ? start + size : start, low, high);
    stop = stop == AM_SLICE_END ? (step < 0 ? -1 : size) : clamp(stop < 0 ? stop + size : stop, low, high);
    int64_t span = step < 0 ? start - stop : stop - start, stride = step < 0 ? -step : step;
    am_slice_attributes a = {
        .axis = at, .start = start, .count = span > 0 && stride ? (span + stride - 1) / stride : 0, .step = step};
    if (a.count == size && step == 1) return x;
    if (a.count == 0) a.start = 0;
    return am_add_node(b, AM_OP_SLICE, &x, 1, &a, NULL);
}

am_value am_slice(am_builder *b, am_value x, int axis, int64_t start, int64_t stop)
{
    return am_slice_step(b, x, axis, start, stop, 1);
}

am_value am_index(am_builder *b, am_value x, int axis, int64_t index)
{
    return am_squeeze(b, am_slice(b, x, axis, index, index == -1 ? AM_SLICE_END : index + 1), axis);
}

static const am_field fields[] = {AM_FIELD(am_slice_attributes, INT, axis), AM_FIELD(am_slice_attributes, INT, start),
                                  AM_FIELD(am_slice_attributes, INT, count), AM_FIELD(am_slice_attributes, INT, step),
                                  AM_FIELDS_END};

const am_op am_op_slice = {
    .name = "slice",
    .summary = "Every step-th element along one axis.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_slice_attributes),
    .infer = infer,
};

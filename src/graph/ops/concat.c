#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_axis_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    AM_TRY(am_check_axis(c, a->axis));
    for (int i = 1; i < c->input_count; i++) {
        if (!c->inputs[i]) return am_error(AM_INTERNAL, "input %d is missing", i);
        am_shape expected = shape;
        AM_TRY(am_check_dtype(c, i, c->inputs[0]->dtype));
        AM_TRY(am_check_rank(c, i, shape.rank));
        expected.dims[a->axis] = c->inputs[i]->shape.dims[a->axis];
        AM_TRY(am_check_shape(c, i, &expected));
        if (__builtin_add_overflow(shape.dims[a->axis], expected.dims[a->axis], &shape.dims[a->axis]))
            return am_error(AM_OUT_OF_RANGE, "the joined axis is too large");
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_concat(am_builder *b, const am_value *parts, int count, int axis)
{
    if (count < 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "concat: nothing to join"));
        return AM_NONE;
    }
    if (count == 1) return parts[0];
    am_axis_attributes a = {am_builder_axis(b, parts[0], axis)};
    return am_add_node(b, AM_OP_CONCAT, parts, count, &a, NULL);
}

am_value am_concat2(am_builder *b, am_value first, am_value second, int axis)
{
    return am_concat(b, (am_value[]){first, second}, 2, axis);
}

static const am_field fields[] = {AM_FIELD(am_axis_attributes, INT, axis), AM_FIELDS_END};

const am_op am_op_concat = {
    .name = "concat",
    .summary = "Joins tensors along one axis.",
    .min_inputs = 1,
    .max_inputs = AM_INPUT_LIMIT,
    .fields = fields,
    .attributes_bytes = sizeof(am_axis_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_shape_attributes *a = c->attributes;
    const am_shape *from = &c->inputs[0]->shape;
    char old_text[AM_SHAPE_TEXT], new_text[AM_SHAPE_TEXT];
    if (!am_shape_check(&a->shape) || am_shape_count(from) != am_shape_count(&a->shape))
        return am_error(AM_INVALID_ARGUMENT, "shape %s cannot become %s", am_shape_text(from, old_text),
                        am_shape_text(&a->shape, new_text));
    return am_infer_one(c, c->inputs[0]->dtype, &a->shape);
}

/* Replaces the one -1, if any, by what is left of `count`. */
static void fill_in(am_shape *shape, int64_t count)
{
    int64_t known = 1;
    int unknown = -1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == -1 && unknown < 0) unknown = i;
        else if (__builtin_mul_overflow(known, shape->dims[i], &known)) known = 0;
    }
    if (unknown >= 0 && known > 0) shape->dims[unknown] = count / known;
}

am_value am_reshape(am_builder *b, am_value x, am_shape shape)
{
    if (!x.id) return AM_NONE;
    am_shape from = am_shape_of_value(b, x);
    fill_in(&shape, am_shape_count(&from));
    if (am_shape_equal(&from, &shape)) return x;
    am_shape_attributes a = {shape};
    return am_add_node(b, AM_OP_RESHAPE, &x, 1, &a, NULL);
}

am_value am_unsqueeze(am_builder *b, am_value x, int axis)
{
    am_shape shape = am_shape_of_value(b, x), longer = {.rank = shape.rank + 1};
    if (axis < 0) axis += longer.rank;
    if (axis < 0 || axis >= longer.rank || longer.rank > AM_RANK_LIMIT) {
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "unsqueeze: axis %d of a tensor of rank %d", axis, shape.rank));
        return AM_NONE;
    }
    for (int i = 0; i < longer.rank; i++) longer.dims[i] = i < axis ? shape.dims[i] : i == axis ? 1 : shape.dims[i - 1];
    return am_reshape(b, x, longer);
}

am_value am_squeeze(am_builder *b, am_value x, int axis)
{
    am_shape shape = am_shape_of_value(b, x);
    int at = am_builder_axis(b, x, axis);
    if (am_builder_failed(b)) return AM_NONE;
    if (shape.dims[at] != 1) {
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "squeeze: axis %d has size %lld", axis, (long long)shape.dims[at]));
        return AM_NONE;
    }
    for (int i = at; i + 1 < shape.rank; i++) shape.dims[i] = shape.dims[i + 1];
    shape.rank--;
    return am_reshape(b, x, shape);
}

am_value am_flatten(am_builder *b, am_value x, int first, int last)
{
    am_shape shape = am_shape_of_value(b, x), flat = {0};
    first = am_builder_axis(b, x, first);
    last = am_builder_axis(b, x, last);
    if (am_builder_failed(b)) return AM_NONE;
    for (int i = 0; i < shape.rank; i++) {
        if (i > first && i <= last) flat.dims[flat.rank - 1] *= shape.dims[i];
        else flat.dims[flat.rank++] = shape.dims[i];
    }
    return am_reshape(b, x, flat);
}

static const am_field fields[] = {AM_FIELD(am_shape_attributes, INTS, shape), AM_FIELDS_END};

const am_op am_op_reshape = {
    .name = "reshape",
    .summary = "The same elements in row-major order under another shape; never moves data.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_shape_attributes),
    .infer = infer,
};

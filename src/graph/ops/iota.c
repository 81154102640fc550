#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_iota_attributes *a = c->attributes;
    if (a->axis < 0 || a->axis >= a->shape.rank)
        return am_error(AM_INVALID_ARGUMENT, "axis %lld is not one of the %d dimensions", (long long)a->axis,
                        a->shape.rank);
    return am_infer_one(c, a->dtype, &a->shape);
}

am_value am_iota(am_builder *b, am_dtype dtype, am_shape shape, int axis, double start, double step)
{
    am_iota_attributes a = {
        .dtype = dtype, .shape = shape, .axis = am_shape_axis(&shape, axis), .start = start, .step = step};
    return am_add_node(b, AM_OP_IOTA, NULL, 0, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_iota_attributes, DTYPE, dtype), AM_FIELD(am_iota_attributes, INTS, shape),
                                  AM_FIELD(am_iota_attributes, INT, axis),    AM_FIELD(am_iota_attributes, REAL, start),
                                  AM_FIELD(am_iota_attributes, REAL, step),   AM_FIELDS_END};

const am_op am_op_iota = {
    .name = "iota",
    .summary = "Counts along one axis: start + step * index.",
    .fields = fields,
    .attributes_bytes = sizeof(am_iota_attributes),
    .infer = infer,
};

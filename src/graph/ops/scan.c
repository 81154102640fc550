#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_scan_attributes *a = c->attributes;
    am_dtype dtype = c->inputs[0]->dtype;
    bool fits = a->fn == AM_REDUCE_SUM || a->fn == AM_REDUCE_PROD || a->fn == AM_REDUCE_MAX || a->fn == AM_REDUCE_MIN;
    if (!fits) return am_error(AM_INVALID_ARGUMENT, "takes sum, prod, max or min, found %s", am_reduce_names[a->fn]);
    if (dtype == AM_BOOL) return am_error(AM_INVALID_ARGUMENT, "%s is not defined for bool", am_reduce_names[a->fn]);
    AM_TRY(am_check_axis(c, a->axis));
    return am_infer_one(c, dtype, &c->inputs[0]->shape);
}

am_value am_scan(am_builder *b, am_reduce_fn fn, am_value x, int axis, bool exclusive, bool reverse)
{
    am_scan_attributes a = {
        .fn = (int)fn, .axis = am_builder_axis(b, x, axis), .exclusive = exclusive, .reverse = reverse};
    return am_add_node(b, AM_OP_SCAN, &x, 1, &a, NULL);
}

static const am_field fields[] = {
    AM_FIELD_OF_ENUM(am_scan_attributes, fn, am_reduce_names), AM_FIELD(am_scan_attributes, INT, axis),
    AM_FIELD(am_scan_attributes, BOOL, exclusive), AM_FIELD(am_scan_attributes, BOOL, reverse), AM_FIELDS_END};

const am_op am_op_scan = {
    .name = "scan",
    .summary = "Running sum, product, maximum or minimum along one axis, with or without the element itself, "
               "from either end.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_scan_attributes),
    .infer = infer,
};

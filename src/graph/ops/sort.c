#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_sort_attributes *a = c->attributes;
    const am_value_info *x = c->inputs[0];
    AM_TRY(am_check_axis(c, a->axis));
    if (x->shape.dims[a->axis] > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "takes up to 2^31 elements along axis %lld, found %lld",
                        (long long)a->axis, (long long)x->shape.dims[a->axis]);
    c->outputs[0] = (am_value_info){.dtype = x->dtype, .shape = x->shape};
    c->outputs[1] = (am_value_info){.dtype = AM_I32, .shape = x->shape};
    c->output_count = 2;
    return NULL;
}

am_value am_sort(am_builder *b, am_value x, int axis, bool descending, am_value *out_indices)
{
    am_sort_attributes a = {.axis = am_builder_axis(b, x, axis), .descending = descending};
    am_value outputs[2] = {AM_NONE, AM_NONE};
    am_add_node(b, AM_OP_SORT, &x, 1, &a, outputs);
    if (out_indices) *out_indices = outputs[1];
    return outputs[0];
}

static const am_field fields[] = {AM_FIELD(am_sort_attributes, INT, axis),
                                  AM_FIELD(am_sort_attributes, BOOL, descending), AM_FIELDS_END};

const am_op am_op_sort = {
    .name = "sort",
    .summary = "Stable sort along one axis, NaN being the largest number; gives values and I32 indices.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_sort_attributes),
    .infer = infer,
};

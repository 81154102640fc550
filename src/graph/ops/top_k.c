#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_top_k_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    AM_TRY(am_check_axis(c, a->axis));
    int64_t size = shape.dims[a->axis];
    if (a->k < 0 || a->k > size || size > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "cannot take %lld of the %lld elements along axis %lld", (long long)a->k,
                        (long long)size, (long long)a->axis);
    shape.dims[a->axis] = a->k;
    c->outputs[0] = (am_value_info){.dtype = c->inputs[0]->dtype, .shape = shape};
    c->outputs[1] = (am_value_info){.dtype = AM_I32, .shape = shape};
    c->output_count = 2;
    return NULL;
}

am_value am_top_k(am_builder *b, am_value x, int axis, int64_t k, bool smallest, am_value *out_indices)
{
    am_top_k_attributes a = {.axis = am_builder_axis(b, x, axis), .k = k, .smallest = smallest};
    am_value outputs[2] = {AM_NONE, AM_NONE};
    am_add_node(b, AM_OP_TOP_K, &x, 1, &a, outputs);
    if (out_indices) *out_indices = outputs[1];
    return outputs[0];
}

static const am_field fields[] = {AM_FIELD(am_top_k_attributes, INT, axis), AM_FIELD(am_top_k_attributes, INT, k),
                                  AM_FIELD(am_top_k_attributes, BOOL, smallest), AM_FIELDS_END};

const am_op am_op_top_k = {
    .name = "top_k",
    .summary = "The k largest (or smallest) elements along one axis, best first, of equals the lower index; "
               "values and I32 indices.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_top_k_attributes),
    .infer = infer,
};

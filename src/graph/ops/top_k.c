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
    if (c->input_count > 1 && (c->inputs[1]->shape.rank != 0 || c->inputs[1]->dtype != AM_I32))
        return am_error(AM_INVALID_ARGUMENT, "the length must be an i32 scalar");
    shape.dims[a->axis] = a->k;
    c->outputs[0] = (am_value_info){.dtype = c->inputs[0]->dtype, .shape = shape};
    c->outputs[1] = (am_value_info){.dtype = AM_I32, .shape = shape};
    c->output_count = 2;
    return NULL;
}

static am_value add(am_builder *b, am_value x, am_value length, const am_top_k_attributes *a, am_value *out_indices)
{
    am_value outputs[2] = {AM_NONE, AM_NONE}, inputs[2] = {x, length};
    am_add_node(b, AM_OP_TOP_K, inputs, length.id ? 2 : 1, a, outputs);
    if (out_indices) *out_indices = outputs[1];
    return outputs[0];
}

am_value am_top_k(am_builder *b, am_value x, int axis, int64_t k, bool smallest, am_value *out_indices)
{
    am_top_k_attributes a = {.axis = am_builder_axis(b, x, axis), .k = k, .smallest = smallest};
    return add(b, x, AM_NONE, &a, out_indices);
}

am_value am_top_k_of_torch(am_builder *b, am_value x, int axis, int64_t k, am_value length, am_value *out_indices)
{
    am_top_k_attributes a = {.axis = am_builder_axis(b, x, axis), .k = k, .torch_equals = true};
    return add(b, x, length, &a, out_indices);
}

static const am_field fields[] = {AM_FIELD(am_top_k_attributes, INT, axis), AM_FIELD(am_top_k_attributes, INT, k),
                                  AM_FIELD(am_top_k_attributes, BOOL, smallest),
                                  AM_FIELD(am_top_k_attributes, BOOL, torch_equals), AM_FIELDS_END};

const am_op am_op_top_k = {
    .name = "top_k",
    .summary = "The k largest (or smallest) elements along one axis, best first, of equals the lower index "
               "(or those that torch.topk takes on a cpu); values and I32 indices. Input 1: how many of a row count.",
    .min_inputs = 1,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_top_k_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_shape *sorted = &c->inputs[0]->shape, *values = &c->inputs[1]->shape;
    am_shape expected = *values;
    AM_TRY(am_check_dtype(c, 1, c->inputs[0]->dtype));
    if (sorted->rank < 1)
        return am_error(AM_INVALID_ARGUMENT, "input 0 must have a dimension to search, found a scalar");
    int64_t size = sorted->dims[sorted->rank - 1];
    if (size > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "takes up to 2^31 sorted elements, found %lld", (long long)size);
    if (sorted->rank > 1) {
        AM_TRY(am_check_rank(c, 1, sorted->rank));
        expected.dims[expected.rank - 1] = size;
        AM_TRY(am_check_shape(c, 0, &expected));
    }
    return am_infer_one(c, AM_I32, values);
}

am_value am_search_sorted(am_builder *b, am_value sorted, am_value values, bool right)
{
    am_search_sorted_attributes a = {.right = right};
    return am_add_node(b, AM_OP_SEARCH_SORTED, (am_value[]){sorted, values}, 2, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_search_sorted_attributes, BOOL, right), AM_FIELDS_END};

const am_op am_op_search_sorted = {
    .name = "search_sorted",
    .summary = "Place of each value in an ascending row: before its equals, or after them (torch.searchsorted).",
    .min_inputs = 2,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_search_sorted_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

/* torch.gather lets the index be smaller than x along the other axes. */
static am_status check_elementwise(const am_shape *x, const am_shape *index, int64_t axis)
{
    char x_text[AM_SHAPE_TEXT], i_text[AM_SHAPE_TEXT];
    bool fits = x->rank == index->rank;
    for (int i = 0; fits && i < x->rank; i++) fits = i == axis || index->dims[i] <= x->dims[i];
    if (fits) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "indices of shape %s for a tensor of shape %s", am_shape_text(index, i_text),
                    am_shape_text(x, x_text));
}

static am_status infer(am_infer *c)
{
    const am_gather_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape, *index = &c->inputs[1]->shape;
    am_shape shape = {0};
    AM_TRY(am_check_axis(c, a->axis));
    AM_TRY(am_check_index(c, 1));
    if (a->elementwise) {
        AM_TRY(check_elementwise(x, index, a->axis));
        return am_infer_one(c, c->inputs[0]->dtype, index);
    }
    if (x->rank - 1 + index->rank > AM_RANK_LIMIT)
        return am_error(AM_INVALID_ARGUMENT, "the result would have rank %d", x->rank - 1 + index->rank);
    for (int i = 0; i < x->rank; i++) {
        if (i != a->axis) shape.dims[shape.rank++] = x->dims[i];
        else
            for (int k = 0; k < index->rank; k++) shape.dims[shape.rank++] = index->dims[k];
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_gather(am_builder *b, am_value x, am_value indices, int axis, bool elementwise)
{
    am_gather_attributes a = {.axis = am_builder_axis(b, x, axis), .elementwise = elementwise};
    return am_add_node(b, AM_OP_GATHER, (am_value[]){x, indices}, 2, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_gather_attributes, INT, axis),
                                  AM_FIELD(am_gather_attributes, BOOL, elementwise), AM_FIELDS_END};

const am_op am_op_gather = {
    .name = "gather",
    .summary = "Elements at indices along an axis: whole slices (index_select) or one by one (torch.gather).",
    .min_inputs = 2,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_gather_attributes),
    .infer = infer,
};

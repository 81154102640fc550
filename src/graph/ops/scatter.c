#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_scatter_attributes *a = c->attributes;
    am_shape expected = c->inputs[0]->shape;
    AM_TRY(am_check_axis(c, a->axis));
    AM_TRY(am_check_index(c, 1));
    AM_TRY(am_check_dtype(c, 2, c->inputs[0]->dtype));
    if (c->inputs[0]->dtype == AM_BOOL && a->fn != AM_SCATTER_SET)
        return am_error(AM_INVALID_ARGUMENT, "only set is defined for bool");
    if (a->elementwise) {
        AM_TRY(am_check_shape(c, 2, &c->inputs[1]->shape));
        AM_TRY(am_check_rank(c, 1, expected.rank));
        for (int i = 0; i < expected.rank; i++)
            if (i != a->axis && c->inputs[1]->shape.dims[i] > expected.dims[i])
                return am_error(AM_INVALID_ARGUMENT, "dimension %d of the indices is larger than the tensor's", i);
    } else {
        AM_TRY(am_check_rank(c, 1, 1));
        expected.dims[a->axis] = c->inputs[1]->shape.dims[0];
        AM_TRY(am_check_shape(c, 2, &expected));
    }
    return am_infer_one(c, c->inputs[0]->dtype, &c->inputs[0]->shape);
}

am_value am_scatter(am_builder *b, am_value x, am_value indices, am_value updates, const am_scatter_attributes *options)
{
    am_scatter_attributes a = *options;
    a.axis = am_builder_axis(b, x, (int)options->axis);
    return am_add_node(b, AM_OP_SCATTER, (am_value[]){x, indices, updates}, 3, &a, NULL);
}

static const char *const functions[] = {"set", "add", "min", "max", NULL};
static const am_field fields[] = {AM_FIELD(am_scatter_attributes, INT, axis),
                                  AM_FIELD(am_scatter_attributes, BOOL, elementwise),
                                  AM_FIELD_OF_ENUM(am_scatter_attributes, fn, functions), AM_FIELDS_END};

const am_op am_op_scatter = {
    .name = "scatter",
    .summary = "A copy of x with elements at indices along an axis set to, added to, or bounded by updates.",
    .min_inputs = 3,
    .max_inputs = 3,
    .fields = fields,
    .attributes_bytes = sizeof(am_scatter_attributes),
    .infer = infer,
};

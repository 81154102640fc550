#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_input_attributes *a = c->attributes;
    return am_infer_one(c, a->dtype, &a->shape);
}

static const am_field fields[] = {
    AM_FIELD(am_input_attributes, TEXT, name), AM_FIELD(am_input_attributes, DTYPE, dtype),
    AM_FIELD(am_input_attributes, INTS, shape), AM_FIELD(am_input_attributes, BOOL, is_state), AM_FIELDS_END};

const am_op am_op_input = {
    .name = "input",
    .summary = "What the caller gives for a run, or a state kept from the run before.",
    .fields = fields,
    .attributes_bytes = sizeof(am_input_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_random_attributes *a = c->attributes;
    return am_infer_one(c, AM_F32, &a->shape);
}

am_value am_random(am_builder *b, am_shape shape, int64_t seed, bool normal)
{
    am_random_attributes a = {.shape = shape, .seed = seed, .normal = normal};
    return am_add_node(b, AM_OP_RANDOM, NULL, 0, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_random_attributes, INTS, shape),
                                  AM_FIELD(am_random_attributes, INT, seed),
                                  AM_FIELD(am_random_attributes, BOOL, normal), AM_FIELDS_END};

const am_op am_op_random = {
    .name = "random",
    .summary = "F32 numbers, uniform in [0, 1) or normal, that depend on the seed and their place alone.",
    .fields = fields,
    .attributes_bytes = sizeof(am_random_attributes),
    .infer = infer,
};

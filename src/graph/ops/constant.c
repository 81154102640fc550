#include "graph/ops/check.h"

#include "base/prng.h"

#include <string.h>

static am_status infer(am_infer *c)
{
    const am_constant_attributes *a = c->attributes;
    return am_infer_one(c, a->dtype, &a->shape);
}

am_value am_constant_lent(am_builder *b, const char *name, am_dtype dtype, am_shape shape, const void *data)
{
    char *copy = am_arena_string(am_builder_arena(b), name, strlen(name));
    if (!copy) am_builder_fail(b, am_out_of_memory());
    am_constant_attributes a = {.name = copy ? copy : "", .dtype = dtype, .shape = shape, .data = data};
    return am_add_node(b, AM_OP_CONSTANT, NULL, 0, &a, NULL);
}

am_value am_constant_copy(am_builder *b, am_dtype dtype, am_shape shape, const void *data)
{
    if (am_builder_failed(b)) return AM_NONE;
    if (!am_shape_check(&shape)) {
        am_builder_fail(b, am_error(AM_OUT_OF_RANGE, "a table is too large"));
        return AM_NONE;
    }
    size_t bytes = am_tensor_bytes(dtype, &shape);
    void *copy = am_arena_alloc(am_builder_arena(b), bytes);
    if (!copy) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    if (bytes) memcpy(copy, data, bytes);
    am_constant_attributes a = {
        .name = "", .dtype = dtype, .shape = shape, .data = copy, .hash = am_fnv1a(copy, bytes)};
    return am_add_node(b, AM_OP_CONSTANT, NULL, 0, &a, NULL);
}

am_value am_scalar(am_builder *b, am_dtype dtype, double value)
{
    double room;
    am_store_real(dtype, &room, 0, value);
    return am_constant_copy(b, dtype, (am_shape){0}, &room);
}

static const am_field fields[] = {
    AM_FIELD(am_constant_attributes, TEXT, name),  AM_FIELD(am_constant_attributes, DTYPE, dtype),
    AM_FIELD(am_constant_attributes, INTS, shape), AM_FIELD(am_constant_attributes, DATA, data),
    AM_FIELD(am_constant_attributes, INT, hash),   AM_FIELDS_END};

const am_op am_op_constant = {
    .name = "constant",
    .summary = "A weight of the model or a table that the builder made.",
    .fields = fields,
    .attributes_bytes = sizeof(am_constant_attributes),
    .infer = infer,
};

#include "graph/ops/check.h"

static am_status check_edge(int mode, int64_t size, int64_t count)
{
    if (count < 0 && mode != AM_PAD_CONSTANT)
        return am_error(AM_INVALID_ARGUMENT, "a negative padding crops, which takes constant mode");
    if (mode == AM_PAD_REFLECT && count >= size && count > 0)
        return am_error(AM_INVALID_ARGUMENT, "reflecting %lld elements of an axis of %lld", (long long)count,
                        (long long)size);
    if (mode == AM_PAD_CIRCULAR && count > size)
        return am_error(AM_INVALID_ARGUMENT, "wrapping %lld elements of an axis of %lld", (long long)count,
                        (long long)size);
    if (mode == AM_PAD_REPLICATE && count > 0 && size == 0)
        return am_error(AM_INVALID_ARGUMENT, "replicating the edge of an empty axis");
    return NULL;
}

static am_status infer(am_infer *c)
{
    const am_pad_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    if (a->before.rank != shape.rank || a->after.rank != shape.rank)
        return am_error(AM_INVALID_ARGUMENT, "paddings for %d and %d dimensions, the tensor has %d", a->before.rank,
                        a->after.rank, shape.rank);
    for (int i = 0; i < shape.rank; i++) {
        AM_TRY(check_edge(a->mode, shape.dims[i], a->before.dims[i]));
        AM_TRY(check_edge(a->mode, shape.dims[i], a->after.dims[i]));
        if (__builtin_add_overflow(shape.dims[i], a->before.dims[i], &shape.dims[i]) ||
            __builtin_add_overflow(shape.dims[i], a->after.dims[i], &shape.dims[i]) || shape.dims[i] < 0)
            return am_error(AM_INVALID_ARGUMENT, "padding leaves dimension %d with no valid size", i);
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_pad(am_builder *b, am_value x, const am_pad_attributes *options)
{
    return am_add_node(b, AM_OP_PAD, &x, 1, options, NULL);
}

am_value am_pad_zero(am_builder *b, am_value x, int axis, int64_t before, int64_t after)
{
    am_pad_attributes a = {.before.rank = am_rank(b, x), .after.rank = am_rank(b, x)};
    int at = am_builder_axis(b, x, axis);
    if (before == 0 && after == 0) return x;
    a.before.dims[at] = before;
    a.after.dims[at] = after;
    return am_pad(b, x, &a);
}

static const char *const modes[] = {"constant", "reflect", "replicate", "circular", NULL};
static const am_field fields[] = {AM_FIELD(am_pad_attributes, INTS, before), AM_FIELD(am_pad_attributes, INTS, after),
                                  AM_FIELD_OF_ENUM(am_pad_attributes, mode, modes),
                                  AM_FIELD(am_pad_attributes, REAL, value), AM_FIELDS_END};

const am_op am_op_pad = {
    .name = "pad",
    .summary = "Adds elements before and after along each dimension: a constant, a reflection, the edge, or "
               "the other end.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_pad_attributes),
    .infer = infer,
};

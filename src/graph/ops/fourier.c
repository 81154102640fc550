#include "graph/ops/check.h"

static am_status check(const am_infer *c, const am_fourier_attributes *a, int rank)
{
    AM_TRY(am_check_float(c, 0));
    if (a->real_input && (a->inverse || a->real_output))
        return am_error(AM_INVALID_ARGUMENT, "real_input takes a forward transform to complex numbers");
    if (a->real_output && !a->inverse) return am_error(AM_INVALID_ARGUMENT, "real_output takes an inverse transform");
    if (a->length < 1 || a->length > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "length %lld is not in 1..2^31", (long long)a->length);
    if (a->axis < 0 || a->axis >= rank)
        return am_error(AM_INVALID_ARGUMENT, "axis %lld is not one of the %d dimensions", (long long)a->axis, rank);
    return NULL;
}

static am_status infer(am_infer *c)
{
    const am_fourier_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    if (!a->real_input && (shape.rank < 1 || shape.dims[--shape.rank] != 2))
        return am_error(AM_INVALID_ARGUMENT, "input 0 must be complex: its last dimension 2");
    AM_TRY(check(c, a, shape.rank));
    shape.dims[a->axis] = a->real_input ? a->length / 2 + 1 : a->length;
    if (!a->real_output && shape.rank == AM_RANK_LIMIT)
        return am_error(AM_INVALID_ARGUMENT, "the result would have rank %d", shape.rank + 1);
    if (!a->real_output) shape.dims[shape.rank++] = 2;
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_fourier(am_builder *b, am_value x, const am_fourier_attributes *options)
{
    return am_add_node(b, AM_OP_FOURIER, &x, 1, options, NULL);
}

static const am_field fields[] = {
    AM_FIELD(am_fourier_attributes, BOOL, inverse),     AM_FIELD(am_fourier_attributes, BOOL, real_input),
    AM_FIELD(am_fourier_attributes, BOOL, real_output), AM_FIELD(am_fourier_attributes, INT, axis),
    AM_FIELD(am_fourier_attributes, INT, length),       AM_FIELDS_END};

const am_op am_op_fourier = {
    .name = "fourier",
    .summary = "Discrete Fourier transform along one axis, of real or complex numbers; the inverse divides "
               "by the length.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_fourier_attributes),
    .infer = infer,
};

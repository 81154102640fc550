#include "tensor/shape.h"

#include "tensor/dtype.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

am_shape am_shape_make(int rank, const int64_t *dims)
{
    am_shape shape = {.rank = rank};
    for (int i = 0; i < rank && i < AM_RANK_LIMIT; i++) shape.dims[i] = dims[i];
    return shape;
}

int64_t am_shape_count(const am_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dims[i];
    return count;
}

/* Zero dimensions must not hide an absurd product of the others, as strides are products too. */
bool am_shape_check(const am_shape *shape)
{
    int64_t bytes = 16;
    if (shape->rank < 0 || shape->rank > AM_RANK_LIMIT) return false;
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dims[i];
        if (dim < 0 || __builtin_mul_overflow(bytes, dim ? dim : 1, &bytes) || bytes > INT64_C(1) << 62) return false;
    }
    return true;
}

bool am_shape_equal(const am_shape *a, const am_shape *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

void am_shape_strides(const am_shape *shape, int64_t out[AM_RANK_LIMIT])
{
    int64_t stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        out[i] = stride;
        stride *= shape->dims[i];
    }
}

static int64_t dim_from_end(const am_shape *shape, int i)
{
    return i < shape->rank ? shape->dims[shape->rank - 1 - i] : 1;
}

bool am_shape_broadcast(const am_shape *a, const am_shape *b, am_shape *out)
{
    am_shape shape = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < shape.rank; i++) {
        int64_t x = dim_from_end(a, i), y = dim_from_end(b, i);
        if (x != y && x != 1 && y != 1) return false;
        shape.dims[shape.rank - 1 - i] = x == 1 ? y : x;
    }
    *out = shape;
    return true;
}

void am_shape_broadcast_strides(const am_shape *shape, const am_shape *to, int64_t out[AM_RANK_LIMIT])
{
    int64_t own[AM_RANK_LIMIT];
    int shift = to->rank - shape->rank;
    am_shape_strides(shape, own);
    for (int i = 0; i < to->rank; i++) out[i] = i < shift || shape->dims[i - shift] == 1 ? 0 : own[i - shift];
}

int am_shape_axis(const am_shape *shape, int64_t axis)
{
    if (axis < 0) axis += shape->rank;
    return axis < 0 || axis >= shape->rank ? -1 : (int)axis;
}

size_t am_tensor_bytes(am_dtype dtype, const am_shape *shape)
{
    return (size_t)am_shape_count(shape) * am_dtype_bytes(dtype);
}

const char *am_shape_text(const am_shape *shape, char buffer[AM_SHAPE_TEXT])
{
    int length = snprintf(buffer, AM_SHAPE_TEXT, "[");
    for (int i = 0; i < shape->rank && i < AM_RANK_LIMIT; i++)
        length +=
            snprintf(buffer + length, (size_t)(AM_SHAPE_TEXT - length), i ? ", %" PRId64 : "%" PRId64, shape->dims[i]);
    snprintf(buffer + length, (size_t)(AM_SHAPE_TEXT - length), "]");
    return buffer;
}

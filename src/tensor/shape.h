/* Shapes and strides of dense tensors. */
#ifndef AM_TENSOR_SHAPE_H
#define AM_TENSOR_SHAPE_H

#include <anymodel/tensor.h>

#include <stdbool.h>

/* am_shape_of(2, 7, 32): a shape from its dimensions, at most AM_RANK_LIMIT. */
#define am_shape_of(...)                                                                                               \
    am_shape_make((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

/* A shape of `rank` dimensions, 0 to AM_RANK_LIMIT, copied from dims. */
am_shape am_shape_make(int rank, const int64_t *dims);

/* Number of elements; a scalar has 1. Only of shapes that passed am_shape_check. */
int64_t am_shape_count(const am_shape *shape);

/* False when the rank or a dimension is out of range or the elements, at 16 bytes each, are more than 2^62
 * bytes. */
bool am_shape_check(const am_shape *shape);

/* Whether rank and all dimensions agree. */
bool am_shape_equal(const am_shape *a, const am_shape *b);

/* Row-major strides in elements. */
void am_shape_strides(const am_shape *shape, int64_t out[AM_RANK_LIMIT]);

/* NumPy broadcasting of two shapes; false when they do not fit. */
bool am_shape_broadcast(const am_shape *a, const am_shape *b, am_shape *out);

/* Strides with which a tensor of `shape` is read when broadcast to `to` (aligned at the last dimension): 0
   along repeated dimensions. `shape` must broadcast to `to`. */
void am_shape_broadcast_strides(const am_shape *shape, const am_shape *to, int64_t out[AM_RANK_LIMIT]);

/* Axis -rank..rank-1 as 0..rank-1; -1 when out of range. */
int am_shape_axis(const am_shape *shape, int64_t axis);

/* Bytes that a dense tensor takes. */
size_t am_tensor_bytes(am_dtype dtype, const am_shape *shape);

/* "[2, 7, 32]"; the buffer holds any shape. */
enum { AM_SHAPE_TEXT = 192 };
const char *am_shape_text(const am_shape *shape, char buffer[AM_SHAPE_TEXT]);

#endif

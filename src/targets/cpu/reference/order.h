/* How elements are ranked by arg_reduce, sort, top_k and the routing of experts, and the rows they rank. */
#ifndef AM_TARGETS_CPU_REFERENCE_ORDER_H
#define AM_TARGETS_CPU_REFERENCE_ORDER_H

#include "targets/cpu/kernel.h"

/* A tensor seen as [outer, size, inner] around an axis: element i of row (o, n) is at (o * size + i) * inner
   + n. */
typedef struct am_rows {
    int64_t outer, size, inner;
} am_rows;

am_rows am_rows_along(const am_shape *shape, int64_t axis);

/* -1, 0 or 1 as element i of the tensor comes before, equals or comes after element k; NaN is the largest
   number. */
int am_reference_compare(const am_tensor *x, int64_t i, int64_t k);

#endif

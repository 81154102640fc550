/* A dense result, row-major, whose operands are read with strides: dimensions that can be merged are merged,
   the last one is walked by the caller's inner loop and the others by adding strides, never by dividing for
   each element. */
#ifndef AM_TARGETS_CPU_KERNELS_STRIDED_H
#define AM_TARGETS_CPU_KERNELS_STRIDED_H

#include "targets/cpu/kernel.h"

enum { AM_STRIDED_OPERANDS = 3 };

typedef struct am_strided {
    int rank, operands; /* rank without the inner dimension */
    int64_t dims[AM_RANK_LIMIT + 1];
    int64_t strides[AM_STRIDED_OPERANDS][AM_RANK_LIMIT + 1];
    int64_t inner, step[AM_STRIDED_OPERANDS]; /* elements of a row, and each operand's stride along it */
    int64_t rows;
} am_strided;

typedef struct am_strided_place {
    int64_t index[AM_RANK_LIMIT + 1], offset[AM_STRIDED_OPERANDS];
} am_strided_place;

/* From a shape and strides[operand][dimension]. A long row is cut into rows of `chunk` elements where that
   divides it (0: never), so that there is something to share among threads. */
void am_strided_make(am_strided *s, const am_shape *shape, int operands, int64_t (*strides)[AM_RANK_LIMIT],
                     int64_t chunk);

/* The first `operands` inputs of a call broadcast to its output. */
void am_strided_of_broadcast(am_strided *s, const am_kernel_call *call, int operands, int64_t chunk);

/* Offsets of a row, and of the one after it. */
am_strided_place am_strided_seek(const am_strided *s, int64_t row);
void am_strided_next(const am_strided *s, am_strided_place *at);

/* Copies elements of `bytes` (1, 2, 4 or 8) from operand 0 into a dense result, on all threads. */
void am_strided_copy(const am_strided *s, const void *from, void *to, int64_t bytes);

#endif

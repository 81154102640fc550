/* Sums in single precision in the order in which torch adds numbers on a CPU (ATen's SumKernel.cpp, vectors of eight):
   of what stays the same, a bin of silence, a mean differs from it by the rounding of these additions, and dividing by
   the deviation makes that a number of its own. */
#ifndef AM_MEDIA_TORCH_SUM_H
#define AM_MEDIA_TORCH_SUM_H

#include <stdint.h>

/* Of `count` numbers side by side. */
float am_torch_sum(const float *values, int64_t count);

/* Of a column of [count, width]. */
float am_torch_column_sum(const float *values, int64_t count, int64_t width, int64_t column);

#endif

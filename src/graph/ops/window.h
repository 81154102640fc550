/* Windows that slide over the spatial dimensions of [B, C, spatial..]. */
#ifndef AM_GRAPH_OPS_WINDOW_H
#define AM_GRAPH_OPS_WINDOW_H

#include "graph/ops.h"

/* One number a spatial dimension in each. */
typedef struct am_window {
    am_shape kernel, stride, dilation, before, after;
} am_window;

/* Puts in what empty attributes stand for (stride 1, dilation 1, paddings 0) for a kernel's rank. Says no change
   where a list is given. */
am_window am_window_resolve(const am_shape *kernel, const am_shape *stride, const am_shape *dilation, const am_shape *before,
                            const am_shape *after);

/* Fails unless there are 1 to 3 spatial dimensions, every list has one number for each, kernel, stride and dilation are
   positive, paddings are not negative, and all are below 2^31. */
am_status am_window_check(const am_window *window, int spatial_rank) AM_NODISCARD;

/* How many places the window has along spatial dimension i of `size` elements; 0 when it does not fit at all. */
int64_t am_window_positions(const am_window *window, int i, int64_t size);

#endif

/* Windows that slide over the spatial dimensions of [B, C, spatial..]: convolutions, pools, unfold. */
#ifndef AM_GRAPH_OPS_WINDOW_H
#define AM_GRAPH_OPS_WINDOW_H

#include "graph/ops.h"

/* A window along one dimension of `size` elements. */
typedef struct am_window {
    int64_t size, kernel, stride, dilation, before, after;
    bool ceil_mode; /* a last window that only begins inside counts as well (torch's pooling) */
} am_window;

/* Number i of a list with one for each spatial dimension, or the fallback where the list is empty. */
int64_t am_window_number(const am_shape *list, int i, int64_t fallback);

/* Fails unless each list is empty or has `spatial` numbers. */
am_status am_window_check_lists(const am_shape *const *lists, int count, int spatial) AM_NODISCARD;

/* Fails when the kernel, stride or dilation is not positive, a padding is negative, or any of them is 2^31 or
   more. */
am_status am_window_check(const am_window *window) AM_NODISCARD;

/* How many places the window has. Fails as am_window_check does, and when it does not fit into the padded
   dimension at all. */
am_status am_window_places(const am_window *window, int64_t *out) AM_NODISCARD;

/* The window of unfold and fold along spatial dimension i of `size` elements, and the check of their lists.
 */
am_window am_unfold_window(const am_unfold_attributes *a, int i, int64_t size);
am_status am_unfold_check(const am_unfold_attributes *a, int spatial) AM_NODISCARD;

#endif

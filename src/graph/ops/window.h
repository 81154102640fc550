/* Sizes of sliding windows: what convolution, pooling and unfolding share. */
#ifndef AM_GRAPH_OPS_WINDOW_H
#define AM_GRAPH_OPS_WINDOW_H

#include "graph/ops.h"

/* Element i of an attribute list that may be empty. */
int64_t am_window_number(const am_shape *list, int i, int64_t fallback);

/* Places of a window along one dimension; an error when it does not fit once or a number makes no sense. */
typedef struct am_window {
    int64_t size, kernel, stride, dilation, before, after;
    bool ceil_mode;
} am_window;

am_status am_window_places(const am_window *window, int64_t *out) AM_NODISCARD;

/* Fails unless each list is empty or has `spatial` numbers. */
am_status am_window_check_lists(const am_shape *const *lists, int count, int spatial) AM_NODISCARD;

#endif

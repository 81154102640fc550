/* What every place of a resized dimension is made of. */
#ifndef AM_TARGETS_CPU_REFERENCE_RESIZE_H
#define AM_TARGETS_CPU_REFERENCE_RESIZE_H

#include "graph/ops.h"

/* Output i of a dimension is the sum over t < counts[i] of weights[at] times input element indices[at], with
   at = i * limit + t. */
typedef struct am_resize_taps {
    int64_t limit;
    int64_t *counts, *indices;
    double *weights;
} am_resize_taps;

/* The taps of each spatial dimension of x: [B, C, spatial..], freed with am_resize_taps_free. Fails with
   AM_OUT_OF_MEMORY, and has then freed them. */
am_status am_resize_taps_make(const am_resize_attributes *a, const am_shape *x, am_resize_taps out[3]) AM_NODISCARD;
void am_resize_taps_free(am_resize_taps taps[3]);

#endif

/* Numbers as PyTorch computes them in f32, to rounding. */
#ifndef AM_MEDIA_POST_PROCESSING_VALUES_H
#define AM_MEDIA_POST_PROCESSING_VALUES_H

#include "base/status.h"
#include "media/image_resize.h"

#include <stdbool.h>
#include <stdint.h>

/* 1 / (1 + exp(-x)). */
float am_post_sigmoid(float x);

/* Softmax of count values, `step` apart in both arrays. */
void am_post_softmax(const float *x, int64_t count, int64_t step, float *out);

/* Where the largest value lies, the first of equal ones; count is at least 1. */
int64_t am_post_largest(const float *x, int64_t count);

/* The same along the channels, x: [channels, plane], out: [plane]. */
void am_post_largest_channel(const float *x, int64_t channels, int64_t plane, int64_t *out);

/* torch.topk: indices of the `top` largest of count values into order, which has room for count. Sorted, best first;
   else, where there are fewer than 64 times as many values, in the order that std::nth_element leaves them in (GNU's
   introselect, pivots by median of three), which some classes number their segments by. Fails with AM_OUT_OF_MEMORY. */
am_status am_post_top(const float *x, int64_t count, int64_t top, bool is_sorted, int64_t *order) AM_NODISCARD;

/* Python's round(x, 6). */
double am_post_round6(float x);

/* How torch.nn.functional.interpolate resizes. */
typedef enum am_post_resize_mode {
    AM_POST_NEAREST, /* "nearest": pixel i lies at floor(i * in / out) */
    AM_POST_NEAREST_EXACT,
    AM_POST_BILINEAR, /* align_corners false, as the next */
    AM_POST_BICUBIC,
    AM_POST_CORNERS,     /* "bilinear", align_corners true */
    AM_POST_ANTIALIASED, /* "bilinear", antialias: torchvision's resize */
} am_post_resize_mode;

/* x: [channels, from.height, from.width], out: [channels, to.height, to.width]. */
am_status am_post_resize(const float *x, int64_t channels, am_plane_size from, am_plane_size to,
                         am_post_resize_mode mode, float *out) AM_NODISCARD;

#endif

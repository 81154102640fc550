/* Boxes as left, top, right, bottom; arrays of them are [count, 4]. */
#ifndef AM_MEDIA_POST_PROCESSING_BOXES_H
#define AM_MEDIA_POST_PROCESSING_BOXES_H

#include "media/image_resize.h"

#include <stdint.h>

/* center_to_corners_format and back; the other format is center x, center y, width, height. `out` may be `in`. */
void am_boxes_to_corners(const float *in, int64_t count, float *out);
void am_boxes_to_centers(const float *in, int64_t count, float *out);

/* Multiplies with the width and height that they are parts of. */
void am_boxes_scale(const am_plane_size *size, int64_t count, float *boxes);

/* Intersection over union of two boxes; the generalized one (Rezatofighi et al. 2019). NaN where the union is 0. */
float am_box_iou(const float *a, const float *b);
float am_box_giou(const float *a, const float *b);

/* Non-maximum suppression as torchvision.ops.nms: indices of the boxes that stay, best first, into keep ([count]). A
   box goes when it overlaps one that stays by more than the threshold; with labels ([count], or null), one of its own
   label (batched_nms). Fails with AM_OUT_OF_MEMORY. */
am_status am_boxes_nms(const float *boxes, const float *scores, const int64_t *labels, int64_t count, double threshold,
                       int64_t *keep, int64_t *kept) AM_NODISCARD;

#endif

/* post_processing.json and boxes.json of a folder of recorded image processors. */
#ifndef AM_RECORDED_POST_PROCESSING_H
#define AM_RECORDED_POST_PROCESSING_H

#include "recorded/case.h"

/* Each case is a call of a post_process_ method: scores must be within 1e-6 or 1e-5 relative, boxes and keypoints
   within 1e-4, other floats within 2e-5, whole numbers equal. Nothing where there is no such file. */
am_status am_recorded_post_processing(am_verifier *verifier) AM_NODISCARD;

/* Boxes as corners and back, intersections over union, non-maximum suppression. */
am_status am_recorded_boxes(am_verifier *verifier) AM_NODISCARD;

#endif

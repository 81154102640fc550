/* The smallest rectangle around points, turned as it may be, and pixels below a polygon, with the numbers of
   OpenCV 4.14 and 5.0: each step is computed in their precision, so that corners are the same bits. */
#ifndef AM_MEDIA_POST_PROCESSING_ROTATED_RECTANGLE_H
#define AM_MEDIA_POST_PROCESSING_ROTATED_RECTANGLE_H

#include "media/post_processing/contours.h"

typedef struct am_point {
    float x, y;
} am_point;

/* Degrees from -90 to below 0. */
typedef struct am_rotated_rectangle {
    am_point center;
    float width, height, angle;
} am_rotated_rectangle;

/* Around pixels of a border, or any points: one side lies on a side of their convex hull (Freeman and Shapira 1975),
   which rotating calipers (Toussaint 1983) try in turn. count is at least 1. Fail with AM_OUT_OF_MEMORY. */
am_status am_smallest_rectangle_of_pixels(const am_pixel *points, int64_t count,
                                          am_rotated_rectangle *out) AM_NODISCARD;
am_status am_smallest_rectangle(const am_point *points, int64_t count, am_rotated_rectangle *out) AM_NODISCARD;

/* Its corners. */
void am_rotated_rectangle_corners(const am_rotated_rectangle *rectangle, am_point out[4]);

enum { AM_FILL_LONGEST = 1 << 20 };

/* Sets the bytes of mask, [height, width], on the sides of a quadrilateral and inside of it to 1, as fillPoly does.
   Corners may lie outside; they and the sides of the mask are of at most AM_FILL_LONGEST. */
void am_fill_quadrilateral(const am_pixel corners[4], am_plane_size size, uint8_t *mask);

#endif

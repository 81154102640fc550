/* Borders of the parts of a mask and what is measured of them, with the numbers of OpenCV 4.13 to 5.0: borders are
   exact, lengths and areas are computed by its steps. */
#ifndef AM_MEDIA_POST_PROCESSING_CONTOURS_H
#define AM_MEDIA_POST_PROCESSING_CONTOURS_H

#include "media/image_resize.h"

#include <stdbool.h>
#include <stdint.h>

/* A pixel: column and row. */
typedef struct am_pixel {
    int32_t x, y;
} am_pixel;

/* Borders after each other, in the order in which rows read from the top meet them; OpenCV lists the last first. */
typedef struct am_contours {
    am_pixel *points;
    int64_t *ends; /* [count]: where each ends in points */
    int64_t count, point_count;
} am_contours;

/* Follows the borders of what is not 0 in mask, [height, width]: border following, Suzuki and Abe 1985. Pixels of a
   part touch by sides or corners; a border keeps those at which it turns (CHAIN_APPROX_SIMPLE). `outer`: of parts that
   lie in no other alone (RETR_EXTERNAL), else those of holes, too (RETR_LIST). *out is deinited also after a failure.
   Fails with AM_OUT_OF_MEMORY. */
am_status am_contours_find(const uint8_t *mask, am_plane_size size, bool outer, am_contours *out) AM_NODISCARD;
void am_contours_deinit(am_contours *contours);

/* Border number i, its length into *count; borrowed. */
const am_pixel *am_contours_get(const am_contours *contours, int64_t i, int64_t *count);

/* The area that the points enclose, and how long the closed line through them is. */
double am_contour_area(const am_pixel *points, int64_t count);
double am_contour_length(const am_pixel *points, int64_t count);

/* Leaves out points of a closed line that lie within `epsilon` of the line without them (approxPolyDP: Douglas and
   Peucker 1973, begun at two points far apart, and at its end without points on nearly straight lines). `out` has room
   for count, which is at least 1. Fails with AM_OUT_OF_MEMORY. */
am_status am_contour_simplify(const am_pixel *points, int64_t count, double epsilon, am_pixel *out,
                              int64_t *out_count) AM_NODISCARD;

#endif

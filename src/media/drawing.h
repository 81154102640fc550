/* Pictures of what models find in images. */
#ifndef AM_MEDIA_DRAWING_H
#define AM_MEDIA_DRAWING_H

#include "media/image.h"

/* Left, top, right and bottom in pixels; may lie outside. */
typedef struct am_drawn_box {
    int64_t left, top, right, bottom;
} am_drawn_box;

/* Colour number i of a row in which neighbours are easily told apart. */
void am_drawing_color(int64_t i, uint8_t out[3]);

/* The outline of a box, `thickness` pixels inside of it; what lies outside of the image is left out. */
void am_draw_box(am_image *image, am_drawn_box box, int64_t thickness, const uint8_t color[3]);

/* Mixes the colour half and half into the pixels where mask, [height, width] of the image, is not 0. */
void am_draw_mask(am_image *image, const uint8_t *mask, const uint8_t color[3]);

/* An image of grey levels, [height, width]. Fails as am_image_create. */
am_status am_image_of_greys(const uint8_t *levels, int64_t height, int64_t width, am_image *out) AM_NODISCARD;

#endif

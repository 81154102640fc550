/* The outlines of a page's parts by their masks, as PP-DocLayoutV3 makes them. */
#ifndef AM_MEDIA_POST_PROCESSING_POLYGONS_H
#define AM_MEDIA_POST_PROCESSING_POLYGONS_H

#include "media/post_processing/methods.h"

/* The masks of an image. */
typedef struct am_outline_masks {
    const float *logits; /* [queries, size.height, size.width] */
    am_plane_size size, page;
    float threshold; /* a mask has pixels with probabilities above it */
} am_outline_masks;

/* The outline of the query's mask inside of box, in pixels of the page: i32 or f64 [corners, 2]; where the mask is
   empty or has fewer than 4 corners, f32, those of the box; no data where nothing is left of the mask in the box. Fails
   with AM_INVALID_ARGUMENT for a box of too many pixels. */
am_status am_post_outline(am_post_run *run, const am_outline_masks *masks, int64_t query, const float *box,
                          am_tensor *out) AM_NODISCARD;

#endif

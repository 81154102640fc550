/* ConvNext: small pictures are enlarged by 1 / crop_pct, then cropped; large ones are warped. */
#include "media/images/processor.h"

#include <math.h>
#include <stddef.h>

static am_status resize(const am_image_processor *p, am_picture *picture, double crop_pct)
{
    int64_t edge = p->size.shortest_edge;
    am_plane_size in = {picture->height, picture->width}, square = {edge, edge};
    if (!edge) return am_error(AM_INVALID_FILE, "size: expected shortest_edge");
    if (edge >= 384) return am_image_resize(p, picture, square);
    double enlarged = fmin((double)edge / crop_pct, (double)AM_IMAGE_MAX_PIXELS);
    AM_TRY(am_image_resize(p, picture, am_image_fit_shortest(in, (int64_t)enlarged)));
    return am_picture_center_crop(picture, p->backend, square);
}

static am_status steps(const am_image_processor *p, am_picture *picture)
{
    double crop_pct = 0.0;
    AM_TRY(am_image_number(p, "crop_pct", &crop_pct));
    if (p->do_resize) AM_TRY(resize(p, picture, crop_pct));
    return am_image_rescale_and_normalize(p, picture);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "ConvNextImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 384}, "default_to_square": false, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "crop_pct": 0.875
     }), .steps = steps},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_convnext = {classes};

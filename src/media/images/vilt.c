/* ViLT and BridgeTower: the shorter edge as `size` says, the longer at most 1333 / 800 of it, both cut to multiples of
   size_divisor; padded to the largest of the batch, pixel_mask says where. */
#include "media/images/processor.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static am_status new_size(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t unit = 1, shorter = p->size.shortest_edge;
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    if (!shorter) return am_error(AM_INVALID_FILE, "size: expected shortest_edge");
    double longer = floor(1333.0 / 800.0 * (double)shorter), height = (double)in.height, width = (double)in.width,
           scale = (double)shorter / fmin(height, width);
    height = in.height < in.width ? (double)shorter : scale * height;
    width = in.height < in.width ? scale * width : (double)shorter;
    if (fmax(height, width) > longer) {
        scale = longer / fmax(height, width);
        height *= scale;
        width *= scale;
    }
    *out = (am_plane_size){(int64_t)(height + 0.5) / unit * unit, (int64_t)(width + 0.5) / unit * unit};
    if (out->height && out->width) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a picture of %" PRId64 "x%" PRId64 " (height, width) would have no pixels",
                    in.height, in.width);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_image_do_resize(p, &run->pictures[i]));
        AM_TRY(am_image_do_center_crop(p, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    }
    if (p->do_pad) AM_TRY(am_image_pad_all(run, (am_plane_size){0}, 0.0, "pixel_mask"));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* BridgeTower's crop_size is the edge of a square. */
static am_status crop_squares(am_image_processor *p)
{
    p->crop_size.height = p->crop_size.width = p->crop_size.shortest_edge;
    if (p->crop_size.shortest_edge || !p->do_center_crop) return NULL;
    return am_error(AM_INVALID_FILE, "crop_size: expected shortest_edge");
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "BridgeTowerImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 288}, "default_to_square": false, "resample": 3,
         "do_center_crop": true, "crop_size": {"shortest_edge": 288}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "do_pad": true, "size_divisor": 32
     }), .new_size = new_size, .preprocess = preprocess, .standardize = crop_squares},
    {.name = "ViltImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 384}, "default_to_square": false, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "size_divisor": 32
     }), .new_size = new_size, .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_vilt = {classes};

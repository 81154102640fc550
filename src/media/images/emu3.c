/* Emu3: pictures within a budget of pixels, the batch padded to its largest. It has no other form than that of numpy
   and PIL, and pads whatever do_pad says. */
#include "media/images/tiles.h"

#include "tensor/shape.h"

#include <stddef.h>

static am_status standardize(am_image_processor *p)
{
    p->backend = AM_IMAGE_PIL;
    return NULL;
}

static am_status fit(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t least = 1, most = 1, factor = 8;
    AM_TRY(am_image_integer(p, "min_pixels", 1, AM_IMAGE_MAX_PIXELS, &least));
    AM_TRY(am_image_integer(p, "max_pixels", 1, AM_IMAGE_MAX_PIXELS, &most));
    AM_TRY(am_image_integer(p, "spatial_factor", 1, 1024, &factor));
    return am_image_smart_resize(in, factor, least, most, out);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    am_shape shape = am_shape_of(run->count, 2);
    int64_t *sizes;
    AM_TRY(am_image_give_integers(run, "image_sizes", &shape, &sizes));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to;
        if (p->do_resize) {
            AM_TRY(fit(p, (am_plane_size){picture->height, picture->width}, &to));
            AM_TRY(am_image_resize(p, picture, to));
        }
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        sizes[2 * i] = picture->height;
        sizes[2 * i + 1] = picture->width;
    }
    AM_TRY(am_image_pad_all(run, (am_plane_size){0}, 0.0, NULL));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    am_plane_size size = in;
    int64_t factor = 8;
    AM_TRY(am_image_integer(p, "spatial_factor", 1, 1024, &factor));
    if (p->do_resize) AM_TRY(fit(p, in, &size));
    out->rows = size.height / factor;
    out->columns = size.width / factor;
    out->count = out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Emu3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "do_pad": true, "max_pixels": 1048576, "min_pixels": 262144, "spatial_factor": 8
     }), .preprocess = preprocess, .count_patches = count_patches, .standardize = standardize},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_emu3 = {classes};

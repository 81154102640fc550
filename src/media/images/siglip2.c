/* SigLIP2: pictures of about their own shape as at most max_num_patches patches, the rest of the list empty. */
#include "media/images/patches.h"

#include <stddef.h>

typedef struct patch_limits {
    int64_t patch, most;
} patch_limits;

static am_status read_limits(const am_image_processor *p, patch_limits *out)
{
    *out = (patch_limits){.patch = 16, .most = 256};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    return am_image_integer(p, "max_num_patches", 1, AM_IMAGE_MAX_PIXELS, &out->most);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    patch_limits limits;
    AM_TRY(read_limits(p, &limits));
    am_patching patching = {.patch = {limits.patch, limits.patch}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size in = {picture->height, picture->width};
        if (p->do_resize) AM_TRY(am_image_resize(p, picture, am_patches_fit(in, limits.patch, limits.most)));
        AM_TRY(am_patches_check(picture, patching.patch, 1));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        AM_TRY(am_picture_to_floats(picture));
    }
    return am_patches_give_padded(run, run->pictures, run->count, &patching, limits.most, true);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    patch_limits limits;
    AM_TRY(read_limits(p, &limits));
    am_plane_size size = p->do_resize ? am_patches_fit(in, limits.patch, limits.most) : in;
    out->rows = size.height / limits.patch;
    out->columns = size.width / limits.patch;
    out->count = out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Siglip2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "max_num_patches": 256, "patch_size": 16
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_siglip2 = {classes};

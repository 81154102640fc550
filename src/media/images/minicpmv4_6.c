/* MiniCPM-V 4.6 and MiniCPM-OCR: the whole picture and slices of it, as columns of patches one after another. */
#include "media/images/slicing.h"

#include <stddef.h>

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_slicing s;
    am_plane_size grid;
    if (!p->do_resize && p->backend == AM_IMAGE_TORCHVISION)
        return am_error(AM_INVALID_ARGUMENT, "do_resize: pictures are always resized to whole patches");
    AM_TRY(am_slicing_read(p, &s));
    AM_TRY(am_slicing_cut(p, &s, &run->pictures[image], &out->tiles, &grid));
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    am_slicing s;
    AM_TRY(am_slicing_read(run->processor, &s));
    AM_TRY(am_slicing_give(run, &tiled->tiles, &s, "pixel_values", "target_sizes"));
    AM_TRY(am_image_give_numbers(run, "grids", run->count, 2, tiled->grids));
    return am_image_give_numbers(run, "num_patches_per_image", run->count, 0, tiled->counts);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    am_slicing s;
    AM_TRY(am_slicing_read(p, &s));
    am_plane_size grid = am_slicing_grid(&s, in);
    *out = (am_image_patch_count){.count = 1 + grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "MiniCPMV4_6ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "downsample_mode": "16x", "max_slice_nums": 9,
         "patch_size": 14, "scale_resolution": 448, "slice_mode": true, "use_image_id": true
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "MiniCPMOcrImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "downsample_mode": "4x", "max_slice_nums": 9,
         "patch_size": 14, "scale_resolution": 448, "slice_mode": true, "small_image_upsize": "always",
         "use_image_id": true
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_minicpmv4_6 = {classes};

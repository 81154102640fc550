/* Gemma 3: the picture as a whole, and with do_pan_and_scan windows along its longer side. */
#include "media/images/tiles.h"

#include <math.h>
#include <stddef.h>

typedef struct scanning {
    bool scans;
    int64_t min_crop_size, max_num_crops;
    double min_ratio;
} scanning;

static am_status read_settings(const am_image_processor *p, scanning *out)
{
    *out = (scanning){0};
    AM_TRY(am_image_flag(p, "do_pan_and_scan", &out->scans));
    AM_TRY(am_image_integer(p, "pan_and_scan_min_crop_size", 1, AM_IMAGE_MAX_PIXELS, &out->min_crop_size));
    AM_TRY(am_image_integer(p, "pan_and_scan_max_num_crops", 1, 1024, &out->max_num_crops));
    AM_TRY(am_image_number(p, "pan_and_scan_min_ratio_to_activate", &out->min_ratio));
    if (!out->scans || (out->min_crop_size && out->max_num_crops && out->min_ratio > 0.0)) return NULL;
    return am_error(AM_INVALID_FILE, "do_pan_and_scan: expected pan_and_scan_min_crop_size, pan_and_scan_max_num_crops "
                                     "and pan_and_scan_min_ratio_to_activate");
}

/* How many windows along each side; 0 by 0: none. */
static am_plane_size windows_of(am_plane_size in, const scanning *s, am_plane_size *out_size)
{
    bool wide = in.width >= in.height;
    double longer = (double)(wide ? in.width : in.height), shorter = (double)(wide ? in.height : in.width);
    if (!s->scans || longer / shorter < s->min_ratio) return (am_plane_size){0};
    double crops = fmin(floor(longer / (double)s->min_crop_size), floor(longer / shorter + 0.5));
    int64_t count = (int64_t)fmin((double)s->max_num_crops, fmax(2.0, crops));
    int64_t part = ((int64_t)longer + count - 1) / count, other = (int64_t)shorter;
    if (part < s->min_crop_size || other < s->min_crop_size) return (am_plane_size){0};
    *out_size = wide ? (am_plane_size){other, part} : (am_plane_size){part, other};
    return wide ? (am_plane_size){1, count} : (am_plane_size){count, 1};
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    const am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width}, size = {0}, to;
    scanning s;
    int64_t first = out->tiles.count;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = windows_of(in, &s, &size);
    AM_TRY(am_tiles_add_part(&out->tiles, picture, 0, 0, in));
    for (int64_t i = 0; i < grid.height * grid.width; i++)
        AM_TRY(
            am_tiles_add_part(&out->tiles, picture, i / grid.width * size.height, i % grid.width * size.width, size));
    for (int64_t i = first; i < out->tiles.count; i++) {
        am_picture *tile = &out->tiles.items[i];
        if (p->do_resize || (s.scans && p->backend == AM_IMAGE_TORCHVISION)) {
            AM_TRY(am_image_fit(&p->size, (am_plane_size){tile->height, tile->width}, &to));
            AM_TRY(am_image_resize(p, tile, to));
        }
        AM_TRY(am_image_rescale_and_normalize(p, tile));
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    for (int64_t i = 0; i < run->count; i++) tiled->counts[i]--;
    AM_TRY(am_image_give(run, "pixel_values", tiled->tiles.items, tiled->tiles.count));
    return am_image_give_numbers(run, "num_crops", run->count, 0, tiled->counts);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    scanning s;
    am_plane_size size;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = windows_of(in, &s, &size);
    *out = (am_image_patch_count){.count = 1 + grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Gemma3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_gemma3 = {classes};

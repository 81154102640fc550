/* DeepSeek-OCR 2 and Unlimited-OCR: the whole picture in a square, and tiles of it where it is larger than one. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

typedef struct ocr_settings {
    bool crop_to_patches;
    int64_t min_patches, max_patches, tile_size, maximum_pad_value;
    double background[3];
} ocr_settings;

static am_status read_settings(const am_image_processor *p, ocr_settings *out)
{
    *out = (ocr_settings){.crop_to_patches = true, .min_patches = 1, .max_patches = 1, .tile_size = 640};
    AM_TRY(am_image_flag(p, "crop_to_patches", &out->crop_to_patches));
    AM_TRY(am_image_integer(p, "min_patches", 0, 1024, &out->min_patches));
    AM_TRY(am_image_integer(p, "max_patches", 0, 1024, &out->max_patches));
    AM_TRY(am_image_integer(p, "tile_size", 1, 1 << 16, &out->tile_size));
    AM_TRY(am_image_integer(p, "maximum_pad_value", 0, AM_IMAGE_MAX_PIXELS, &out->maximum_pad_value));
    AM_TRY(am_image_channels(p, "background_color", out->background));
    if (out->min_patches < 1) out->min_patches = 1;
    if (p->size.height && p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width");
}

/* The grid of tiles, 0 by 0 where there are none. */
static am_plane_size grid_of(am_plane_size in, const ocr_settings *s)
{
    am_plane_size tile = {s->tile_size, s->tile_size};
    if (!s->crop_to_patches || (in.height <= s->tile_size && in.width <= s->tile_size)) return (am_plane_size){0};
    return am_tile_grid_of_ratio(in, tile, s->min_patches, s->max_patches);
}

static am_status fit_square(const am_image_processor *p, const ocr_settings *s, int64_t side, am_picture *picture)
{
    double longer = (double)(picture->height > picture->width ? picture->height : picture->width),
           scale = (double)side / longer;
    am_plane_size to = {(int64_t)nearbyint((double)picture->height * scale),
                        (int64_t)nearbyint((double)picture->width * scale)};
    AM_TRY(am_image_resize(p, picture, to));
    return am_picture_pad_square(picture, s->background);
}

/* Appends the tiles, and makes the picture what it is as a whole. */
static am_status process(am_image_run *run, int64_t image, int64_t side, am_tiles *tiles, int64_t *out_grid)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    ocr_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of((am_plane_size){picture->height, picture->width}, &s),
                  tile = {s.tile_size, s.tile_size};
    int64_t first = tiles->count;
    if (grid.height) AM_TRY(am_tiles_cut_grid(tiles, p, picture, tile, grid));
    AM_TRY(am_tiles_rescale_and_normalize(tiles, p, first));
    out_grid[0] = grid.width;
    out_grid[1] = grid.height;
    if (!s.crop_to_patches && side <= s.maximum_pad_value)
        AM_TRY(am_image_resize(p, picture, (am_plane_size){side, side}));
    else AM_TRY(fit_square(p, &s, side, picture));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status process_all(am_image_run *run, bool gives_grids, am_tiles *tiles)
{
    const am_image_processor *p = run->processor;
    am_shape flat = am_shape_of(run->count), pairs = am_shape_of(run->count, 2);
    int64_t *counts, *grids, *grid, none[2], side = p->size.height > p->size.width ? p->size.height : p->size.width;
    ocr_settings s;
    AM_TRY(read_settings(p, &s));
    if (!gives_grids) side = s.crop_to_patches ? p->size.height : s.tile_size;
    AM_TRY(am_image_give_integers(run, "num_local_patches", &flat, &counts));
    if (gives_grids) AM_TRY(am_image_give_integers(run, "patches_grid", &pairs, &grids));
    for (int64_t i = 0; i < run->count; i++) {
        grid = gives_grids ? grids + 2 * i : none;
        AM_TRY(process(run, i, side, tiles, grid));
        counts[i] = grid[0] * grid[1];
        if (!counts[i]) grid[0] = grid[1] = 1;
    }
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    return tiles->count ? am_image_give(run, "pixel_values_local", tiles->items, tiles->count) : NULL;
}

static am_status preprocess(am_image_run *run)
{
    am_tiles tiles = {0};
    am_status status = process_all(run, false, &tiles);
    am_tiles_deinit(&tiles);
    return status;
}

static am_status preprocess_unlimited(am_image_run *run)
{
    am_tiles tiles = {0};
    am_status status = process_all(run, true, &tiles);
    am_tiles_deinit(&tiles);
    return status;
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    ocr_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of(in, &s);
    *out = (am_image_patch_count){.count = grid.height * grid.width + 1, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "DeepseekOcr2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 1024, "width": 1024}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "background_color": [127, 127, 127], "crop_to_patches": true, "max_patches": 6, "min_patches": 2,
         "tile_size": 768
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "UnlimitedOcrImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 1024, "width": 1024}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "background_color": [127, 127, 127], "crop_to_patches": true, "max_patches": 32, "maximum_pad_value": 640,
         "min_patches": 2, "tile_size": 640
     }), .preprocess = preprocess_unlimited, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_deepseek_ocr2 = {classes};

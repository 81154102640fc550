/* Aria: pictures, or tiles of them at the best of some resolutions, each fitted into a square of max_image_size. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>

typedef struct aria_settings {
    int64_t most, least; /* max_image_size, min_image_size */
    bool split;
} aria_settings;

static am_status read_settings(const am_image_processor *p, aria_settings *out)
{
    *out = (aria_settings){.most = 980, .least = 336};
    AM_TRY(am_image_flag(p, "split_image", &out->split));
    AM_TRY(am_image_integer(p, "max_image_size", 1, AM_IMAGE_MAX_PIXELS, &out->most));
    AM_TRY(am_image_integer(p, "min_image_size", 0, AM_IMAGE_MAX_PIXELS, &out->least));
    if (out->most == 490 || out->most == 980) return NULL;
    return am_error(AM_INVALID_FILE, "max_image_size: expected 490 or 980, found %" PRId64, out->most);
}

static int64_t scaled(int64_t side, double scale, int64_t least)
{
    int64_t out = (int64_t)((double)side * scale);
    return out > least ? out : least;
}

static am_plane_size fit(am_plane_size in, const aria_settings *s)
{
    double scale = (double)s->most / (double)(in.height > in.width ? in.height : in.width);
    if (in.width >= in.height) return (am_plane_size){scaled(in.height, scale, s->least), s->most};
    return (am_plane_size){s->most, scaled(in.width, scale, s->least)};
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    aria_settings s;
    int64_t first = out->tiles.count;
    AM_TRY(read_settings(run->processor, &s));
    if (s.split)
        AM_TRY(
            am_tiles_cut_resolution(&out->tiles, run->processor, "split_resolutions", &run->pictures[image], s.most));
    else AM_TRY(am_tiles_take(&out->tiles, &run->pictures[image]));
    for (int64_t i = first; i < out->tiles.count; i++) {
        am_picture *tile = &out->tiles.items[i];
        AM_TRY(am_image_resize(run->processor, tile, fit((am_plane_size){tile->height, tile->width}, &s)));
    }
    return NULL;
}

/* Pads the tiles, and says in a mask where they were. */
static am_status pad(am_image_run *run, int64_t side, am_tiles *tiles)
{
    am_tensor *mask;
    am_shape shape = am_shape_of(tiles->count, side, side);
    AM_TRY(am_media_tensors_add(run->out, "pixel_mask", AM_BOOL, &shape, &mask));
    for (int64_t i = 0; i < tiles->count; i++) {
        am_picture *tile = &tiles->items[i];
        uint8_t *flags = (uint8_t *)mask->data + i * side * side;
        am_margins padding = {.right = side - tile->width, .bottom = side - tile->height};
        for (int64_t k = 0; k < side * side; k++) flags[k] = k / side < tile->height && k % side < tile->width;
        AM_TRY(am_picture_pad(tile, padding, 0.0));
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    aria_settings s;
    int64_t *most;
    am_shape scalar = {.rank = 0};
    AM_TRY(read_settings(run->processor, &s));
    AM_TRY(pad(run, s.most, &tiled->tiles));
    AM_TRY(am_image_finish_all(run, "pixel_values", tiled->tiles.items, tiled->tiles.count));
    AM_TRY(am_image_give_integers(run, "num_crops", &scalar, &most));
    for (int64_t i = 0; i < run->count; i++)
        if (tiled->counts[i] > *most) *most = tiled->counts[i];
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    aria_settings s;
    am_plane_size target;
    AM_TRY(read_settings(p, &s));
    out->count = 1;
    if (!s.split) return NULL;
    AM_TRY(am_tile_best_resolution(p, "split_resolutions", in, &target));
    out->rows = (target.height + s.most - 1) / s.most;
    out->columns = (target.width + s.most - 1) / s.most;
    out->count = out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "AriaImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "max_image_size": 980, "min_image_size": 336,
         "split_image": false,
         "split_resolutions": [[490, 980], [490, 1470], [490, 1960], [490, 2450], [490, 2940], [490, 3430], [490,
         3920], [980, 1960], [980, 1470], [980, 980], [980, 490], [1470, 490], [1470, 980], [1960, 490], [1960, 980],
         [2450, 490], [2940, 490], [3430, 490], [3920, 490]]
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_aria = {classes};

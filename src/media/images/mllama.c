/* Mllama: the picture inside the canvas of tiles that suits it best, cut; every image gets max_image_tiles. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

static am_status standardize(am_image_processor *p)
{
    if (p->do_pad && p->do_resize && p->size.height && p->size.height == p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "expected do_pad, do_resize, and a size whose height and width are the same");
}

static am_status read_most(const am_image_processor *p, int64_t *out)
{
    *out = 4;
    return am_image_integer(p, "max_image_tiles", 1, 1024, out);
}

/* The canvas that needs the least enlarging, or the least shrinking; of those the smallest. */
static am_plane_size best_grid(am_plane_size in, int64_t tile, int64_t most)
{
    am_plane_size best = {0};
    double best_scale = 0.0;
    for (int64_t rows = 1; rows <= most; rows++) {
        for (int64_t columns = 1; rows * columns <= most; columns++) {
            double tall = (double)(rows * tile) / (double)in.height, wide = (double)(columns * tile) / (double)in.width,
                   scale = fmin(tall, wide);
            bool better = !best.height || (scale >= 1.0 ? best_scale < 1.0 || scale < best_scale
                                                        : best_scale < 1.0 && scale > best_scale);
            bool smaller = scale == best_scale && rows * columns < best.height * best.width;
            if (!better && !smaller) continue;
            best_scale = scale;
            best = (am_plane_size){rows, columns};
        }
    }
    return best;
}

static double clip(int64_t value, int64_t least, int64_t most)
{
    return fmin(fmax((double)value, (double)least), (double)most);
}

/* get_image_size_fit_to_canvas */
static am_plane_size fit(am_plane_size in, am_plane_size grid, int64_t tile)
{
    double width = clip(in.width, tile, grid.width * tile), height = clip(in.height, tile, grid.height * tile),
           tall = height / (double)in.height, wide = width / (double)in.width;
    if (wide < tall) height = fmin(fmax(1.0, floor((double)in.height * wide)), height);
    else width = fmin(fmax(1.0, floor((double)in.width * tall)), width);
    return (am_plane_size){(int64_t)height, (int64_t)width};
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width};
    int64_t most, tile = p->size.height, first = out->tiles.count;
    AM_TRY(read_most(p, &most));
    am_plane_size grid = best_grid(in, tile, most);
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    AM_TRY(am_image_resize(p, picture, fit(in, grid, tile)));
    am_margins padding = {.right = grid.width * tile - picture->width, .bottom = grid.height * tile - picture->height};
    AM_TRY(am_picture_pad(picture, padding, 0.0));
    AM_TRY(am_tiles_cut(&out->tiles, picture, (am_plane_size){tile, tile}));
    return am_tiles_rescale_and_normalize(&out->tiles, p, first);
}

/* The place of a grid among all that are supported, from 1. */
static int64_t ratio_id(const int64_t grid[2], int64_t most)
{
    int64_t id = grid[1];
    for (int64_t rows = 1; rows < grid[0]; rows++) id += most / rows;
    return id;
}

static am_status give_ratios(am_image_run *run, const am_tiled *tiled, int64_t most)
{
    am_shape flat = am_shape_of(1, run->count), cube = am_shape_of(1, run->count, most);
    int64_t *ids, *mask, *numbers;
    AM_TRY(am_image_give_integers(run, "aspect_ratio_ids", &flat, &ids));
    AM_TRY(am_image_give_integers(run, "aspect_ratio_mask", &cube, &mask));
    AM_TRY(am_image_give_integers(run, "num_tiles", &flat, &numbers));
    for (int64_t i = 0; i < run->count; i++) {
        numbers[i] = tiled->counts[i];
        ids[i] = ratio_id(tiled->grids + 2 * i, most);
        for (int64_t k = 0; k < tiled->counts[i]; k++) mask[i * most + k] = 1;
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    int64_t most, side = run->processor->size.height;
    AM_TRY(read_most(run->processor, &most));
    am_shape shape = am_shape_of(1, run->count, most, 3, side, side);
    float *values;
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    const am_picture *tile = tiled->tiles.items;
    for (int64_t i = 0; i < tiled->tiles.count; i++) AM_TRY(am_picture_to_floats(&tiled->tiles.items[i]));
    for (int64_t i = 0; i < run->count; i++, values += most * 3 * side * side)
        for (int64_t k = 0; k < tiled->counts[i]; k++) am_image_put(tile++, values + k * 3 * side * side);
    return give_ratios(run, tiled, most);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    int64_t most;
    AM_TRY(read_most(p, &most));
    am_plane_size grid = best_grid(in, p->size.height, most);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "MllamaImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "max_image_tiles": 4
     }), .preprocess = preprocess, .count_patches = count_patches, .standardize = standardize},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_mllama = {classes};

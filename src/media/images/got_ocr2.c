/* GOT-OCR2, Cohere2 Vision and Ovis2: the picture in a grid of tiles that suits its shape, and a thumbnail of it. */
#include "media/images/tiles.h"

#include <math.h>
#include <stddef.h>

typedef struct tiling_settings {
    bool crop_to_patches, use_covering_area_grid;
    int64_t min_patches, max_patches;
} tiling_settings;

/* How a class differs. */
typedef struct tiling {
    am_plane_size (*grid)(const tiling_settings *s, am_plane_size in, am_plane_size tile);
    const char *output; /* the other output: "num_patches", or "grids" with rows and columns */
    bool gives_grids, thumbnail_first;
    bool single_is_whole; /* of max_patches 1 no tiles are cut */
} tiling;

static am_status read_settings(const am_image_processor *p, tiling_settings *out)
{
    const tiling *kind = p->kind->details;
    *out = (tiling_settings){.min_patches = 1, .max_patches = 12, .use_covering_area_grid = true};
    AM_TRY(am_image_flag(p, "crop_to_patches", &out->crop_to_patches));
    AM_TRY(am_image_flag(p, "use_covering_area_grid", &out->use_covering_area_grid));
    AM_TRY(am_image_integer(p, "min_patches", 0, 1024, &out->min_patches));
    AM_TRY(am_image_integer(p, "max_patches", 0, 1024, &out->max_patches));
    if (out->min_patches < 1) out->min_patches = 1;
    if (out->max_patches < 2 && (kind->single_is_whole || p->backend == AM_IMAGE_PIL)) out->crop_to_patches = false;
    if (!out->crop_to_patches || (p->size.height && p->size.width)) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width of a tile");
}

static am_plane_size grid_got_ocr2(const tiling_settings *s, am_plane_size in, am_plane_size tile)
{
    return am_tile_grid_of_ratio(in, tile, s->min_patches, s->max_patches);
}

/* The grid that needs the least enlarging, or, where all are too small, the least shrinking. */
static am_plane_size grid_cohere2_vision(const tiling_settings *s, am_plane_size in, am_plane_size tile)
{
    double least = INFINITY, most = 0.0;
    am_plane_size enlarging = {1, 1}, shrinking = {1, 1};
    for (int64_t tiles = 1; tiles <= s->max_patches; tiles++) {
        for (int64_t columns = 1; columns <= tiles; columns++) {
            if (tiles % columns) continue;
            am_plane_size grid = {tiles / columns, columns};
            double scale = fmin((double)(columns * tile.height) / (double)in.width,
                                (double)(grid.height * tile.height) / (double)in.height);
            if (scale >= 1.0 && scale < least) {
                least = scale;
                enlarging = grid;
            } else if (scale < 1.0 && scale > most) {
                most = scale;
                shrinking = grid;
            }
        }
    }
    return isinf(least) ? shrinking : enlarging;
}

/* What a region covers of a square of that side, once it is fitted into it. */
static double covered(int64_t height, int64_t width, int64_t side)
{
    double longer = (double)(height > width ? height : width), shorter = (double)(height > width ? width : height);
    if (longer > (double)side) {
        shorter = shorter / longer * (double)side;
        longer = (double)side;
    }
    return longer * shorter;
}

static double covered_by_grid(am_plane_size in, am_plane_size grid, int64_t side)
{
    int64_t height = in.height / grid.height, width = in.width / grid.width;
    double sum = 0.0;
    for (int64_t row = 0; row < grid.height; row++) {
        int64_t tall = row == grid.height - 1 ? in.height - row * height : height;
        for (int64_t column = 0; column < grid.width; column++)
            sum += covered(tall, column == grid.width - 1 ? in.width - column * width : width, side);
    }
    return sum / ((double)in.width * (double)in.height);
}

/* get_min_tile_covering_grid: the fewest tiles that keep nine tenths of the picture; or what keeps most. It measures
   grids the other way round than it returns them. */
static am_plane_size grid_ovis2(const tiling_settings *s, am_plane_size in, am_plane_size tile)
{
    const double threshold = 0.9;
    double best = -1.0, best_sufficient = -1.0;
    am_plane_size grid = {1, 1}, sufficient = {1, 1};
    if (!s->use_covering_area_grid) return grid_got_ocr2(s, in, tile);
    for (int64_t tiles = 1; tiles <= s->max_patches; tiles++) {
        for (int64_t columns = 1; columns <= tiles; columns++) {
            if (tiles % columns) continue;
            double ratio = covered_by_grid(in, (am_plane_size){columns, tiles / columns}, tile.height);
            if (ratio > best) {
                best = ratio;
                grid = (am_plane_size){tiles / columns, columns};
            }
            if (ratio > threshold && ratio > best_sufficient) {
                best_sufficient = ratio;
                sufficient = (am_plane_size){tiles / columns, columns};
            }
        }
        if (best_sufficient > 0.0) return sufficient;
    }
    return grid;
}

static am_status cut_grid(am_image_run *run, const tiling_settings *s, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    const tiling *kind = p->kind->details;
    const am_picture *picture = &run->pictures[image];
    am_plane_size tile = {p->size.height, p->size.width},
                  grid = kind->grid(s, (am_plane_size){picture->height, picture->width}, tile);
    bool thumbnail = grid.height * grid.width != 1;
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    if (thumbnail && kind->thumbnail_first) AM_TRY(am_tiles_add_resized(&out->tiles, p, picture, tile));
    AM_TRY(am_tiles_cut_grid(&out->tiles, p, picture, tile, grid));
    if (thumbnail && !kind->thumbnail_first) AM_TRY(am_tiles_add_resized(&out->tiles, p, picture, tile));
    return NULL;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    tiling_settings s;
    out->grids[2 * image] = out->grids[2 * image + 1] = 1;
    AM_TRY(read_settings(run->processor, &s));
    if (s.crop_to_patches) return cut_grid(run, &s, image, out);
    return am_tiles_take(&out->tiles, &run->pictures[image]);
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    const am_image_processor *p = run->processor;
    const tiling *kind = p->kind->details;
    for (int64_t i = 0; i < tiled->tiles.count; i++) {
        am_picture *tile = &tiled->tiles.items[i];
        AM_TRY(am_image_do_resize(p, tile));
        if (kind->gives_grids) AM_TRY(am_image_do_center_crop(p, tile));
    }
    AM_TRY(am_image_finish_all(run, "pixel_values", tiled->tiles.items, tiled->tiles.count));
    return am_image_give_numbers(run, kind->output, run->count, kind->gives_grids ? 2 : 0,
                                 kind->gives_grids ? tiled->grids : tiled->counts);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    const tiling *kind = p->kind->details;
    tiling_settings s;
    am_plane_size grid = {1, 1};
    AM_TRY(read_settings(p, &s));
    if (s.crop_to_patches) grid = kind->grid(&s, in, (am_plane_size){p->size.height, p->size.width});
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    if (out->count > 1) out->count++;
    return NULL;
}

static const tiling got_ocr2 = {.grid = grid_got_ocr2, .output = "num_patches"};
static const tiling cohere2_vision = {.grid = grid_cohere2_vision, .output = "num_patches"};
static const tiling ovis2 = {
    .grid = grid_ovis2, .output = "grids", .gives_grids = true, .thumbnail_first = true, .single_is_whole = true};

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Cohere2VisionImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 512, "width": 512}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "crop_to_patches": true, "max_patches": 12,
         "min_patches": 1
     }), .preprocess = preprocess, .count_patches = count_patches, .details = &cohere2_vision},
    {.name = "GotOcr2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "crop_to_patches": false, "max_patches": 12,
         "min_patches": 1
     }), .preprocess = preprocess, .count_patches = count_patches, .details = &got_ocr2},
    {.name = "Ovis2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "crop_to_patches": false, "max_patches": 12,
         "min_patches": 1, "use_covering_area_grid": true
     }), .preprocess = preprocess, .count_patches = count_patches, .details = &ovis2},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_got_ocr2 = {classes};

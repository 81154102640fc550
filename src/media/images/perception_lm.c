/* PerceptionLM: a thumbnail, and tiles on the canvas in which the picture is largest, or whose shape is nearest. */
#include "media/images/tiles.h"

#include "base/memory.h"

#include <math.h>
#include <stddef.h>

typedef struct tile_limits {
    int64_t tile, most;
    bool tiles; /* "thumb+tile" */
} tile_limits;

static am_status read_settings(const am_image_processor *p, tile_limits *out)
{
    *out = (tile_limits){.tile = 448, .most = 36};
    AM_TRY(am_image_integer(p, "tile_size", 1, 1 << 16, &out->tile));
    AM_TRY(am_image_integer(p, "max_num_tiles", 1, 256, &out->most));
    out->tiles = am_json_equals(am_image_setting(p, "vision_input_type"), "thumb+tile");
    return NULL;
}

/* The grids by shape, shapes in the order in which they first come, from the most tiles down. */
typedef struct grid_list {
    am_plane_size *items;
    int64_t count;
} grid_list;

static bool has_ratio(am_plane_size grid, double ratio)
{
    return (double)grid.width / (double)grid.height == ratio;
}

static void insert(grid_list *list, am_plane_size grid)
{
    double ratio = (double)grid.width / (double)grid.height;
    int64_t at = list->count;
    for (int64_t i = 0; i < list->count; i++)
        if (has_ratio(list->items[i], ratio)) at = i + 1;
    for (int64_t i = list->count++; i > at; i--) list->items[i] = list->items[i - 1];
    list->items[at] = grid;
}

static am_status list_grids(int64_t most, grid_list *out)
{
    int64_t capacity = 0;
    for (int64_t tiles = 1; tiles <= most; tiles++) capacity += most / tiles;
    *out = (grid_list){.items = am_alloc((size_t)capacity * sizeof *out->items)};
    if (!out->items) return am_out_of_memory();
    for (int64_t tiles = most; tiles > 0; tiles--)
        for (int64_t columns = 1; columns <= tiles; columns++)
            if (tiles % columns == 0) insert(out, (am_plane_size){tiles / columns, columns});
    return NULL;
}

/* The side that decides of the picture inside a canvas: its height for wide ones, its width for tall ones. */
static double side_inside(am_plane_size in, am_plane_size canvas, double ratio)
{
    double scale = fmin((double)canvas.width / (double)in.width, (double)canvas.height / (double)in.height);
    if (ratio > 1.0) return floor(scale * (double)in.width / ratio);
    if (ratio == 1.0) return scale * (double)in.height;
    return floor(scale * (double)in.height * ratio);
}

/* _fit_image_to_canvas; 0 by 0: none is large enough. */
static am_plane_size largest(const grid_list *list, am_plane_size in, int64_t tile)
{
    double ratio = (double)in.width / (double)in.height, best = 0.0;
    am_plane_size out = {0};
    for (int64_t i = 0; i < list->count; i++) {
        am_plane_size canvas = {list->items[i].height * tile, list->items[i].width * tile};
        if (canvas.width < in.width || canvas.height < in.height) continue;
        double side = side_inside(in, canvas, ratio);
        if (out.height && side < best) continue;
        out = list->items[i];
        best = side;
    }
    return out;
}

/* _find_closest_aspect_ratio, and of that shape the grid of most tiles. */
static am_plane_size nearest(const grid_list *list, am_plane_size in)
{
    double ratio = (double)in.width / (double)in.height, best = INFINITY, chosen = 0.0;
    am_plane_size out = {1, 1};
    for (int64_t i = 0; i < list->count; i++) {
        double shape = (double)list->items[i].width / (double)list->items[i].height,
               distance = ratio >= 1.0 ? fabs(shape - ratio) : fabs(1.0 / shape - 1.0 / ratio);
        if ((ratio >= 1.0 ? shape > ratio : shape <= ratio) || !(distance < best)) continue;
        best = distance;
        chosen = shape;
    }
    int64_t most = 0;
    for (int64_t i = 0; i < list->count; i++) {
        if (!has_ratio(list->items[i], chosen) || list->items[i].width * list->items[i].height <= most) continue;
        out = list->items[i];
        most = out.width * out.height;
    }
    return out;
}

static am_status grid_of(const tile_limits *s, am_plane_size in, am_plane_size *out)
{
    grid_list list = {0};
    *out = (am_plane_size){1, 1};
    if (s->most == 1) return NULL;
    AM_TRY(list_grids(s->most, &list));
    *out = largest(&list, in, s->tile);
    if (!out->height) *out = nearest(&list, in);
    am_free(list.items);
    return NULL;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    am_plane_size grid;
    tile_limits s;
    AM_TRY(read_settings(p, &s));
    am_plane_size tile = {s.tile, s.tile};
    if (!p->do_resize) return am_tiles_take(&out->tiles, picture);
    AM_TRY(am_tiles_add_resized(&out->tiles, p, picture, tile));
    if (!s.tiles) return NULL;
    AM_TRY(grid_of(&s, (am_plane_size){picture->height, picture->width}, &grid));
    return am_tiles_cut_grid(&out->tiles, p, picture, tile, grid);
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    AM_TRY(am_tiles_rescale_and_normalize(&tiled->tiles, run->processor, 0));
    return am_tiles_give(run, "pixel_values", &tiled->tiles, tiled->counts, run->count, false);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    tile_limits s;
    am_plane_size grid;
    AM_TRY(read_settings(p, &s));
    out->count = 1;
    if (!p->do_resize || !s.tiles) return NULL;
    AM_TRY(grid_of(&s, in, &grid));
    *out = (am_image_patch_count){.count = 1 + grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "PerceptionLMImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"width": 448, "height": 448}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "max_num_tiles": 36, "tile_size": 448, "vision_input_type": "thumb+tile"
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_perception_lm = {classes};

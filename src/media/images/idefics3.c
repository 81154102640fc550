/* Idefics3, SmolVLM and UltraVBert: the picture enlarged to whole tiles and cut, then all of it as one more tile; all
   images make one sample. */
#include "media/images/tiles.h"

#include <math.h>
#include <stddef.h>

enum { MAX_IMAGE_SIZE = 4096 };

typedef struct splitting {
    bool splits;
    int64_t tile;      /* max_image_size */
    int64_t max_tiles; /* UltraVBert's budget; 0: none */
} splitting;

static am_status read_settings(const am_image_processor *p, splitting *out)
{
    am_image_size tile;
    *out = (splitting){.splits = true};
    AM_TRY(am_image_flag(p, "do_image_splitting", &out->splits));
    AM_TRY(am_image_read_size(p, "max_image_size", false, &tile));
    AM_TRY(am_image_integer(p, "max_image_tiles", 1, 1 << 20, &out->max_tiles));
    out->tile = tile.longest_edge;
    if (out->tile) return NULL;
    return am_error(AM_INVALID_FILE, "max_image_size: expected longest_edge");
}

static int64_t at_least_one(double side)
{
    return side < 1.0 ? 1 : (int64_t)side;
}

/* _resize_output_size_rescale_to_max_len, then _resize_output_size_scale_below_upper_bound. */
static am_plane_size fit_edge(am_plane_size in, int64_t edge)
{
    double ratio = (double)in.width / (double)in.height, other;
    bool wide = in.width >= in.height;
    other = trunc(wide ? (double)edge / ratio : (double)edge * ratio);
    if (fmod(other, 2.0) != 0.0) other += 1.0;
    am_plane_size out = {wide ? at_least_one(other) : edge, wide ? edge : at_least_one(other)};
    ratio = (double)out.width / (double)out.height;
    if (out.width >= out.height && out.width > MAX_IMAGE_SIZE)
        return (am_plane_size){at_least_one(trunc(MAX_IMAGE_SIZE / ratio)), MAX_IMAGE_SIZE};
    if (out.height > out.width && out.height > MAX_IMAGE_SIZE)
        return (am_plane_size){MAX_IMAGE_SIZE, at_least_one(trunc(MAX_IMAGE_SIZE * ratio))};
    return out;
}

/* resize_for_vision_encoder: both sides whole tiles, the longer one first. */
static am_plane_size grid_of(am_plane_size in, int64_t tile)
{
    double ratio = (double)in.width / (double)in.height;
    am_plane_size grid;
    if (in.width >= in.height) {
        grid.width = (in.width + tile - 1) / tile;
        grid.height = ((int64_t)((double)(grid.width * tile) / ratio) + tile - 1) / tile;
    } else {
        grid.height = (in.height + tile - 1) / tile;
        grid.width = ((int64_t)((double)(grid.height * tile) * ratio) + tile - 1) / tile;
    }
    return grid;
}

static am_status fit(const am_image_processor *p, const splitting *s, am_plane_size in, am_plane_size *out)
{
    int64_t edge = p->size.longest_edge;
    *out = (am_plane_size){p->size.height, p->size.width};
    if (!edge && (!out->height || !out->width || (s->max_tiles && s->splits)))
        return am_error(AM_INVALID_FILE, "size: expected longest_edge, or height and width");
    if (!edge) return NULL;
    for (; s->max_tiles && s->splits && edge > s->tile; edge -= s->tile) {
        am_plane_size grid = grid_of(fit_edge(in, edge), s->tile);
        if (grid.height * grid.width <= s->max_tiles) break;
    }
    *out = fit_edge(in, edge);
    return NULL;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    splitting s;
    am_plane_size to;
    AM_TRY(read_settings(p, &s));
    am_plane_size tile = {s.tile, s.tile};
    if (p->do_resize) {
        AM_TRY(fit(p, &s, (am_plane_size){picture->height, picture->width}, &to));
        AM_TRY(am_image_resize(p, picture, to));
    }
    if (s.splits) {
        am_plane_size grid = grid_of((am_plane_size){picture->height, picture->width}, s.tile);
        AM_TRY(am_image_resize(p, picture, (am_plane_size){grid.height * s.tile, grid.width * s.tile}));
        if (grid.height == 1 && grid.width == 1) return am_tiles_take(&out->tiles, picture);
        AM_TRY(am_tiles_cut(&out->tiles, picture, tile));
        out->grids[2 * image] = grid.height;
        out->grids[2 * image + 1] = grid.width;
    }
    return am_tiles_add_resized(&out->tiles, p, picture, tile);
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    bool info = false;
    AM_TRY(am_tiles_rescale_and_normalize(&tiled->tiles, run->processor, 0));
    AM_TRY(am_tiles_give_sample(run, &tiled->tiles, run->processor->do_pad));
    AM_TRY(am_image_flag(run->processor, "return_row_col_info", &info));
    return info ? am_tiles_give_grids(run, tiled) : NULL;
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    splitting s;
    AM_TRY(read_settings(p, &s));
    out->count = 1;
    if (!s.splits) return NULL;
    if (p->do_resize) AM_TRY(fit(p, &s, in, &in));
    am_plane_size grid = grid_of(in, s.tile);
    if (grid.height == 1 && grid.width == 1) return NULL;
    *out = (am_image_patch_count){.count = grid.height * grid.width + 1, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Idefics3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1456}, "resample": 1,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "do_image_splitting": true, "max_image_size": {"longest_edge": 364}
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "SmolVLMImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1456}, "resample": 1,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "do_image_splitting": true, "max_image_size": {"longest_edge": 364}
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "UltraVBertImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 3072}, "resample": 1,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "do_image_splitting": true, "max_image_size": {"longest_edge": 512}, "max_image_tiles": 27
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_idefics3 = {classes};

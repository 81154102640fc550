/* LFM2-VL: small pictures as they are, large ones as tiles and a thumbnail; patches of those in lists of one length. */
#include "media/images/patches.h"
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct lfm2_settings {
    bool do_image_splitting, use_thumbnail, return_row_col_info;
    int64_t downsample_factor, min_tiles, max_tiles, min_image_tokens, max_image_tokens, patch, tile_size;
    double max_pixels_tolerance;
} lfm2_settings;

static am_status read_integers(const am_image_processor *p, lfm2_settings *out)
{
    const struct {
        const char *key;
        int64_t least, most, *to;
    } integers[] = {{"downsample_factor", 1, 64, &out->downsample_factor},
                    {"min_tiles", 1, 1024, &out->min_tiles},
                    {"max_tiles", 1, 1024, &out->max_tiles},
                    {"min_image_tokens", 0, 1 << 20, &out->min_image_tokens},
                    {"max_image_tokens", 1, 1 << 20, &out->max_image_tokens},
                    {"encoder_patch_size", 1, 1024, &out->patch},
                    {"tile_size", 1, 1 << 16, &out->tile_size}};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        AM_TRY(am_image_integer(p, integers[i].key, integers[i].least, integers[i].most, integers[i].to));
    return NULL;
}

static am_status read_settings(const am_image_processor *p, lfm2_settings *out)
{
    *out = (lfm2_settings){.max_pixels_tolerance = 2.0, .downsample_factor = 1, .patch = 16, .tile_size = 512};
    AM_TRY(am_image_flag(p, "do_image_splitting", &out->do_image_splitting));
    AM_TRY(am_image_flag(p, "use_thumbnail", &out->use_thumbnail));
    AM_TRY(am_image_flag(p, "return_row_col_info", &out->return_row_col_info));
    AM_TRY(am_image_number(p, "max_pixels_tolerance", &out->max_pixels_tolerance));
    AM_TRY(read_integers(p, out));
    if (!out->do_image_splitting) out->min_tiles = out->max_tiles = 1;
    if (out->min_tiles <= out->max_tiles) return NULL;
    return am_error(AM_INVALID_FILE, "min_tiles %" PRId64 " is more than max_tiles %" PRId64, out->min_tiles,
                    out->max_tiles);
}

/* How many patches a list has room for. */
static int64_t most_patches(const lfm2_settings *s)
{
    int64_t whole = s->max_image_tokens * s->downsample_factor * s->downsample_factor, side = s->tile_size / s->patch;
    return s->do_image_splitting && side * side > whole ? side * side : whole;
}

static double rounded(int64_t side, double factor, double least)
{
    return fmax(least, nearbyint((double)side / factor) * factor);
}

static am_plane_size fit(am_plane_size in, const lfm2_settings *s)
{
    double factor = (double)(s->patch * s->downsample_factor), token = factor * factor,
           least = (double)s->min_image_tokens * token, most = (double)s->max_image_tokens * token,
           height = (double)in.height, width = (double)in.width;
    double tall = rounded(in.height, factor, factor), wide = rounded(in.width, factor, factor);
    if (tall * wide > most) {
        double beta = sqrt(height * width / most);
        tall = fmax(factor, floor(height / beta / factor) * factor);
        wide = fmax(factor, floor(width / beta / factor) * factor);
    } else if (tall * wide < least) {
        double beta = sqrt(least / (height * width));
        tall = ceil(height * beta / factor) * factor;
        wide = ceil(width * beta / factor) * factor;
    }
    return (am_plane_size){(int64_t)tall, (int64_t)wide};
}

/* The grid of tiles that a picture is divided into; 1 by 1 where it is not. */
static am_plane_size grid_of(am_plane_size in, const lfm2_settings *s, bool *out_divided)
{
    double factor = (double)(s->patch * s->downsample_factor), patch = (double)s->patch,
           area = rounded(in.height, factor, patch) * rounded(in.width, factor, patch);
    bool splits = s->min_tiles != 1 || s->max_tiles != 1;
    *out_divided = splits && area > (double)s->max_image_tokens * factor * factor * s->max_pixels_tolerance;
    if (!*out_divided) return (am_plane_size){1, 1};
    return am_tile_grid_of_ratio(in, (am_plane_size){s->tile_size, s->tile_size}, s->min_tiles, s->max_tiles);
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width};
    lfm2_settings s;
    bool divided;
    AM_TRY(read_settings(run->processor, &s));
    am_plane_size grid = grid_of(in, &s, &divided), tile = {s.tile_size, s.tile_size};
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    if (divided) AM_TRY(am_tiles_cut_grid(&out->tiles, run->processor, picture, tile, grid));
    if (divided && (!s.use_thumbnail || grid.height * grid.width == 1)) return NULL;
    return am_tiles_add_resized(&out->tiles, run->processor, picture, fit(in, &s));
}

static am_status give_info(am_image_run *run, const lfm2_settings *s, const am_tiled *tiled)
{
    am_shape flat = am_shape_of(run->count), pairs = am_shape_of(run->count, 2);
    int64_t *rows, *columns, *sizes;
    AM_TRY(am_image_give_integers(run, "image_rows", &flat, &rows));
    AM_TRY(am_image_give_integers(run, "image_cols", &flat, &columns));
    AM_TRY(am_image_give_integers(run, "image_sizes", &pairs, &sizes));
    for (int64_t i = 0; i < run->count; i++) {
        const am_image *image = &run->inputs->images[i];
        am_plane_size size = fit((am_plane_size){image->height, image->width}, s);
        rows[i] = tiled->grids[2 * i];
        columns[i] = tiled->grids[2 * i + 1];
        sizes[2 * i] = size.height;
        sizes[2 * i + 1] = size.width;
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    lfm2_settings s;
    am_tiles *tiles = &tiled->tiles;
    AM_TRY(read_settings(run->processor, &s));
    am_patching patching = {.patch = {s.patch, s.patch}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    AM_TRY(am_tiles_rescale_and_normalize(tiles, run->processor, 0));
    for (int64_t i = 0; i < tiles->count; i++) {
        AM_TRY(am_patches_check(&tiles->items[i], patching.patch, 1));
        AM_TRY(am_picture_to_floats(&tiles->items[i]));
    }
    bool pad = run->processor->do_pad;
    AM_TRY(am_patches_give_padded(run, tiles->items, tiles->count, &patching, pad ? most_patches(&s) : 0, pad));
    return s.return_row_col_info ? give_info(run, &s, tiled) : NULL;
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    lfm2_settings s;
    bool divided;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of(in, &s, &divided);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    if (out->count > 1 && s.use_thumbnail) out->count++;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Lfm2VlImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 512, "width": 512}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true,
         "do_image_splitting": true, "downsample_factor": 2, "encoder_patch_size": 16, "max_image_tokens": 256,
         "max_pixels_tolerance": 2.0, "max_tiles": 10, "min_image_tokens": 64, "min_tiles": 2, "tile_size": 512,
         "use_thumbnail": true
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_lfm2_vl = {classes};

/* Granite Docling: pages in a grid of tiles with a thumbnail; all images make one sample. Dense pages may have more
   tiles than others. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <stddef.h>

enum { MAX_SIDE = 16 };

typedef struct page_settings {
    bool crop_to_patches, fine_route;
    int64_t least, most, dense_most;
    double dense_scale, dense_min_aspect, dense_max_aspect;
} page_settings;

static double number_or_zero(const am_image_processor *p, const char *key)
{
    return am_json_real(am_image_setting(p, key), 0.0);
}

static am_status read_settings(const am_image_processor *p, page_settings *out)
{
    *out = (page_settings){.crop_to_patches = true, .least = 1, .most = 32};
    AM_TRY(am_image_flag(p, "crop_to_patches", &out->crop_to_patches));
    AM_TRY(am_image_flag(p, "fine_route", &out->fine_route));
    AM_TRY(am_image_integer(p, "min_patches", 1, 1024, &out->least));
    AM_TRY(am_image_integer(p, "max_patches", 0, 1024, &out->most));
    AM_TRY(am_image_integer(p, "dense_max_patches", 0, 1024, &out->dense_most));
    out->dense_scale = number_or_zero(p, "dense_max_scale");
    out->dense_min_aspect = number_or_zero(p, "dense_min_aspect");
    out->dense_max_aspect = number_or_zero(p, "dense_max_aspect");
    if (p->size.height && p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width of a tile");
}

static int64_t side_of(int64_t most)
{
    return most < MAX_SIDE ? most : MAX_SIDE;
}

/* get_page_max_patches */
static int64_t budget(const am_image_processor *p, const page_settings *s, am_plane_size in)
{
    double ratio = (double)in.width / (double)in.height;
    am_plane_size tile = {p->size.height, p->size.width};
    if (!s->crop_to_patches || s->most <= 1) return 1;
    if (!s->dense_most || (s->dense_scale <= 0.0 && s->dense_min_aspect <= 0.0)) return s->most;
    if (s->dense_min_aspect > 0.0 && !(ratio > s->dense_min_aspect)) return s->most;
    if (s->dense_max_aspect > 0.0 && ratio > s->dense_max_aspect) return s->most;
    am_plane_size grid = am_tile_grid_within(in, tile, s->least, s->most, side_of(s->most));
    double scale = (double)(grid.width * tile.width) / (double)in.width;
    return s->dense_scale > 0.0 && !(scale < s->dense_scale) ? s->most : s->dense_most;
}

static am_plane_size grid_of(const am_image_processor *p, int64_t least, int64_t most, am_plane_size in)
{
    if (most <= 1) return (am_plane_size){1, 1};
    return am_tile_grid_within(in, (am_plane_size){p->size.height, p->size.width}, least, most, side_of(most));
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    const am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width}, tile = {p->size.height, p->size.width};
    page_settings s;
    int64_t first = out->tiles.count;
    AM_TRY(read_settings(p, &s));
    int64_t most = budget(p, &s, in);
    am_plane_size named = grid_of(p, s.least, most, in), grid = grid_of(p, s.least < most ? s.least : most, most, in);
    out->grids[2 * image] = named.height;
    out->grids[2 * image + 1] = named.width;
    AM_TRY(am_tiles_cut_grid(&out->tiles, p, picture, tile, grid));
    if (grid.height * grid.width != 1) AM_TRY(am_tiles_add_resized(&out->tiles, p, picture, tile));
    return am_tiles_rescale_and_normalize(&out->tiles, p, first);
}

static am_status give_flags(am_image_run *run, const char *name, const am_shape *shape)
{
    am_tensor *flags;
    AM_TRY(am_media_tensors_add(run->out, name, AM_BOOL, shape, &flags));
    for (int64_t i = 0; i < am_shape_count(shape); i++) ((uint8_t *)flags->data)[i] = 1;
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    page_settings s;
    am_shape tiles = am_shape_of(1, tiled->tiles.count), one = am_shape_of(1);
    AM_TRY(read_settings(run->processor, &s));
    AM_TRY(am_tiles_give_sample(run, &tiled->tiles, false));
    AM_TRY(give_flags(run, "pixel_attention_mask", &tiles));
    if (s.fine_route) AM_TRY(give_flags(run, "tile_fine_mask", &one));
    return am_tiles_give_grids(run, tiled);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    page_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of(p, s.least, budget(p, &s, in), in);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    if (out->count > 1) out->count++;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "GraniteDoclingImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 512, "width": 512}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "crop_to_patches": true, "dense_max_aspect": 0.0,
         "dense_max_patches": 0, "dense_max_scale": 0.0, "dense_min_aspect": 0.0, "fine_route": false,
         "max_patches": 32, "min_patches": 1
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_granite_docling = {classes};

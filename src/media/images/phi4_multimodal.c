/* Phi-4 Multimodal: the picture on a canvas of tiles, white where it ends, with masks that say where it is; before the
   tiles the whole canvas as one. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct hd_settings {
    int64_t side, patch, mask, most; /* mask: patches along a tile */
} hd_settings;

typedef struct canvas {
    am_plane_size grid, inside, padding; /* tiles; pixels of the picture; pixels right of and below it */
} canvas;

static am_status read_settings(const am_image_processor *p, hd_settings *out)
{
    *out = (hd_settings){.side = p->size.height, .patch = 14, .most = 36};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_integer(p, "dynamic_hd", 1, 1024, &out->most));
    if (!out->side || out->side != p->size.width || out->side < out->patch)
        return am_error(AM_INVALID_FILE, "size: expected height and width that are the same and hold a patch");
    out->mask = out->side / out->patch;
    return NULL;
}

/* dynamic_preprocess */
static am_status make_canvas(const hd_settings *s, am_plane_size in, canvas *out)
{
    am_plane_size tile = {s->side, s->side};
    *out = (canvas){.grid = {(in.height + s->side - 1) / s->side, (in.width + s->side - 1) / s->side}};
    if (out->grid.height * out->grid.width > s->most) out->grid = am_tile_grid_of_ratio(in, tile, 1, s->most);
    am_plane_size target = {out->grid.height * s->side, out->grid.width * s->side};
    double wide = (double)target.width / (double)in.width, tall = (double)target.height / (double)in.height;
    out->inside = target;
    if (wide < tall) out->inside.height = (int64_t)((double)in.height * wide);
    else out->inside.width = (int64_t)((double)in.width * tall);
    out->padding = (am_plane_size){target.height - out->inside.height, target.width - out->inside.width};
    if (out->inside.height >= 10 && out->inside.width >= 10) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "the aspect ratio is very extreme: %" PRId64 "x%" PRId64 " (height, width)",
                    out->inside.height, out->inside.width);
}

/* Whether a patch of the canvas is of the picture. */
static bool is_seen(const hd_settings *s, const canvas *c, int64_t row, int64_t column)
{
    return row < c->grid.height * s->mask - c->padding.height / s->patch &&
           column < c->grid.width * s->mask - c->padding.width / s->patch;
}

static int64_t count_tokens(const hd_settings *s, const canvas *c)
{
    int64_t tokens = 256 + 1 + 16;
    for (int64_t row = 0; row < c->grid.height * s->mask; row++) {
        if (row % s->mask % 2) continue;
        tokens += is_seen(s, c, row, 0);
        for (int64_t column = 0; column < c->grid.width * s->mask; column++)
            if (column % s->mask % 2 == 0) tokens += is_seen(s, c, row, column);
    }
    return tokens;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    const double white[3] = {255.0, 255.0, 255.0};
    am_picture *picture = &run->pictures[image], whole;
    hd_settings s;
    canvas c;
    AM_TRY(read_settings(p, &s));
    AM_TRY(make_canvas(&s, (am_plane_size){picture->height, picture->width}, &c));
    am_margins padding = {.right = c.padding.width, .bottom = c.padding.height};
    am_plane_size tile = {s.side, s.side};
    AM_TRY(am_picture_resize(picture, p->backend, c.inside, AM_RESAMPLE_BILINEAR, true));
    AM_TRY(am_picture_pad_colored(picture, padding, white));
    AM_TRY(am_image_rescale_and_normalize(p, picture));
    AM_TRY(am_picture_to_floats(picture));
    out->grids[2 * image] = picture->height;
    out->grids[2 * image + 1] = picture->width;
    am_status status = am_picture_copy(picture, &whole);
    if (!status) status = am_picture_resize(&whole, p->backend, tile, p->resample, false);
    if (status) am_picture_deinit(&whole);
    else status = am_tiles_take(&out->tiles, &whole);
    return status ? status : am_tiles_cut(&out->tiles, picture, tile);
}

/* The mask of the whole is all ones, as are those of tiles that a batch is filled up with. */
static void put_masks(const hd_settings *s, const canvas *c, int64_t most, float *out)
{
    int64_t plane = s->mask * s->mask;
    for (int64_t i = 0; i < most * plane; i++) {
        int64_t tile = i / plane - 1, row = i % plane / s->mask, column = i % s->mask;
        bool outside = tile < 0 || tile >= c->grid.height * c->grid.width;
        out[i] =
            outside || is_seen(s, c, tile / c->grid.width * s->mask + row, tile % c->grid.width * s->mask + column);
    }
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    hd_settings s;
    int64_t *tokens, most = 0;
    float *masks;
    AM_TRY(read_settings(run->processor, &s));
    for (int64_t i = 0; i < run->count; i++)
        if (tiled->counts[i] > most) most = tiled->counts[i];
    am_shape flat = am_shape_of(run->count), shape = am_shape_of(run->count, most, s.mask, s.mask);
    AM_TRY(am_tiles_give(run, "image_pixel_values", &tiled->tiles, tiled->counts, run->count, true));
    AM_TRY(am_image_give_numbers(run, "image_sizes", run->count, 2, tiled->grids));
    AM_TRY(am_image_give_floats(run, "image_attention_mask", &shape, &masks));
    AM_TRY(am_image_give_integers(run, "num_img_tokens", &flat, &tokens));
    for (int64_t i = 0; i < run->count; i++) {
        canvas c;
        const am_image *image = &run->inputs->images[i];
        AM_TRY(make_canvas(&s, (am_plane_size){image->height, image->width}, &c));
        put_masks(&s, &c, most, masks + i * most * s.mask * s.mask);
        tokens[i] = count_tokens(&s, &c);
    }
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    hd_settings s;
    canvas c;
    AM_TRY(read_settings(p, &s));
    AM_TRY(make_canvas(&s, in, &c));
    *out = (am_image_patch_count){.count = count_tokens(&s, &c), .rows = c.grid.height, .columns = c.grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Phi4MultimodalImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "size": {"height": 448, "width": 448}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "dynamic_hd": 36,
         "patch_size": 14
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_phi4_multimodal = {classes};

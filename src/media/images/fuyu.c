/* Fuyu: pictures that are too large shrink to fit, all are padded to the size; each is a sample. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

static am_plane_size fit(const am_image_processor *p, am_plane_size in)
{
    if (!p->do_resize || (in.width <= p->size.width && in.height <= p->size.height)) return in;
    double scale = fmin((double)p->size.height / (double)in.height, (double)p->size.width / (double)in.width);
    return (am_plane_size){(int64_t)((double)in.height * scale), (int64_t)((double)in.width * scale)};
}

static am_status check_settings(const am_image_processor *p)
{
    am_json mode = am_image_setting(p, "padding_mode");
    if (!p->size.height || !p->size.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    if (!p->do_pad || am_json_equals(mode, "constant")) return NULL;
    return am_error(AM_UNSUPPORTED, "padding_mode: only constant is implemented");
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width}, to = fit(p, in);
    if (to.height != in.height || to.width != in.width) AM_TRY(am_image_resize(p, picture, to));
    out->grids[2 * image] = picture->height;
    out->grids[2 * image + 1] = picture->width;
    am_margins padding = {.right = p->size.width - to.width, .bottom = p->size.height - to.height};
    double value = am_json_real(am_image_setting(p, "padding_value"), 0.0);
    if (p->do_pad) AM_TRY(am_picture_pad(picture, padding, value));
    AM_TRY(am_image_rescale_and_normalize(p, picture));
    return am_tiles_take(&out->tiles, picture);
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    am_shape shape = am_shape_of(run->count, 1);
    int64_t *heights, *widths;
    float *scales;
    AM_TRY(am_tiles_give(run, "images", &tiled->tiles, tiled->counts, run->count, false));
    AM_TRY(am_image_give_integers(run, "image_unpadded_heights", &shape, &heights));
    AM_TRY(am_image_give_integers(run, "image_unpadded_widths", &shape, &widths));
    AM_TRY(am_image_give_floats(run, "image_scale_factors", &shape, &scales));
    for (int64_t i = 0; i < run->count; i++) {
        heights[i] = tiled->grids[2 * i];
        widths[i] = tiled->grids[2 * i + 1];
        scales[i] = (float)((double)heights[i] / (double)run->inputs->images[i].height);
    }
    return am_image_give_sizes(run, "image_sizes");
}

static am_status preprocess(am_image_run *run)
{
    AM_TRY(check_settings(run->processor));
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    am_image_size patch;
    AM_TRY(check_settings(p));
    AM_TRY(am_image_read_size(p, "patch_size", true, &patch));
    if (!patch.height || !patch.width) return am_error(AM_INVALID_FILE, "patch_size: expected height and width");
    am_plane_size to = fit(p, in);
    out->rows = (to.height + patch.height - 1) / patch.height;
    out->columns = (to.width + patch.width - 1) / patch.width;
    out->count = out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "FuyuImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 1080, "width": 1920}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": 0.5, "image_std": 0.5, "do_pad": true, "padding_mode": "constant",
         "padding_value": 1.0, "patch_size": {"height": 30, "width": 30}
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_fuyu = {classes};

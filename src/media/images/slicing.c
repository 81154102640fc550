#include "media/images/slicing.h"

#include "media/images/patches.h"
#include "tensor/shape.h"

#include <math.h>

am_status am_slicing_read(const am_image_processor *p, am_slicing *out)
{
    am_json upsize = am_image_setting(p, "small_image_upsize");
    *out = (am_slicing){.most = 9, .resolution = 448, .patch = 14, .slices = true, .upsizes = true};
    AM_TRY(am_image_integer(p, "max_slice_nums", 1, 1024, &out->most));
    AM_TRY(am_image_integer(p, "scale_resolution", 1, 1 << 16, &out->resolution));
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_flag(p, "slice_mode", &out->slices));
    out->unit = out->patch * (am_json_equals(am_image_setting(p, "downsample_mode"), "4x") ? 2 : 4);
    if (am_json_kind_of(upsize) != AM_JSON_MISSING) out->upsizes = am_json_equals(upsize, "always");
    if (am_json_equals(upsize, "adaptive"))
        return am_error(AM_UNSUPPORTED, "small_image_upsize: adaptive measures glyphs, which is not implemented");
    return NULL;
}

static double ensure_divide(double length, double divisor)
{
    return fmax(nearbyint(length / divisor) * divisor, divisor);
}

/* find_best_resize */
static am_plane_size fit(const am_slicing *s, double height, double width, bool upsizes)
{
    double resolution = (double)s->resolution, unit = (double)s->unit;
    if (height * width > resolution * resolution || upsizes) {
        double ratio = width / height;
        height = trunc(resolution / sqrt(ratio));
        width = trunc(height * ratio);
    }
    return (am_plane_size){(int64_t)ensure_divide(height, unit), (int64_t)ensure_divide(width, unit)};
}

am_plane_size am_slicing_grid(const am_slicing *s, am_plane_size in)
{
    double log_ratio = log((double)in.width / (double)in.height), least = INFINITY,
           area = (double)in.width * (double)in.height / ((double)s->resolution * (double)s->resolution);
    int64_t multiple = (int64_t)fmin(ceil(area), (double)s->most);
    am_plane_size best = {1, 1};
    if (!s->slices || multiple <= 1) return (am_plane_size){0};
    for (int64_t slices = multiple - 1; slices <= multiple + 1; slices++) {
        for (int64_t rows = 1; rows <= slices && slices != 1 && slices <= s->most; rows++) {
            if (slices % rows) continue;
            double error = fabs(log_ratio - log((double)(slices / rows) / (double)rows));
            if (error < least || (error == least && rows > best.height)) best = (am_plane_size){rows, slices / rows};
            if (error < least) least = error;
        }
    }
    return best;
}

static am_status add_slices(const am_image_processor *p, const am_slicing *s, const am_picture *picture,
                            am_plane_size grid, am_tiles *out)
{
    double rows = (double)grid.height, columns = (double)grid.width;
    if (!p->do_resize)
        return am_tiles_cut(out, picture, (am_plane_size){picture->height / grid.height, picture->width / grid.width});
    return am_tiles_cut_grid(out, p, picture,
                             fit(s, ensure_divide((double)picture->height, rows) / rows,
                                 ensure_divide((double)picture->width, columns) / columns, true),
                             grid);
}

am_status am_slicing_cut(const am_image_processor *p, const am_slicing *s, const am_picture *picture, am_tiles *out,
                         am_plane_size *out_grid)
{
    am_plane_size in = {picture->height, picture->width}, grid = am_slicing_grid(s, in);
    int64_t first = out->count;
    *out_grid = grid;
    if (p->do_resize) in = fit(s, (double)in.height, (double)in.width, s->upsizes && !grid.height);
    AM_TRY(am_tiles_add_resized(out, p, picture, in));
    if (grid.height) AM_TRY(add_slices(p, s, picture, grid, out));
    for (int64_t i = first; i < out->count; i++) {
        AM_TRY(am_patches_check(&out->items[i], (am_plane_size){s->patch, s->patch}, 1));
        AM_TRY(am_image_rescale_and_normalize(p, &out->items[i]));
        AM_TRY(am_picture_to_floats(&out->items[i]));
    }
    return NULL;
}

/* Copies the patches of a tile side by side into [3, patch, columns], from column `at` on; returns the next one. */
static int64_t put_tile(const am_picture *tile, int64_t patch, int64_t columns, int64_t at, float *out)
{
    for (int64_t i = 0; i < tile->height / patch * (tile->width / patch); i++, at += patch) {
        int64_t top = i / (tile->width / patch) * patch, left = i % (tile->width / patch) * patch;
        for (int64_t row = 0; row < 3 * patch; row++)
            am_picture_window(tile, row / patch, top + row % patch, left, (am_plane_size){1, patch},
                              out + row * columns + at);
    }
    return at;
}

static am_status give_sizes(am_image_run *run, const char *name, const am_tiles *tiles, int64_t patch)
{
    am_shape shape = am_shape_of(tiles->count, 2);
    am_tensor *sizes;
    AM_TRY(am_media_tensors_add(run->out, name, AM_I32, &shape, &sizes));
    for (int64_t i = 0; i < tiles->count; i++) {
        ((int32_t *)sizes->data)[2 * i] = (int32_t)(tiles->items[i].height / patch);
        ((int32_t *)sizes->data)[2 * i + 1] = (int32_t)(tiles->items[i].width / patch);
    }
    return NULL;
}

am_status am_slicing_give(am_image_run *run, const am_tiles *tiles, const am_slicing *s, const char *name,
                          const char *sizes)
{
    int64_t columns = 0, at = 0;
    float *values;
    for (int64_t i = 0; i < tiles->count; i++)
        columns += tiles->items[i].height / s->patch * (tiles->items[i].width / s->patch) * s->patch;
    am_shape shape = am_shape_of(1, 3, s->patch, columns);
    AM_TRY(am_image_give_floats(run, name, &shape, &values));
    for (int64_t i = 0; i < tiles->count; i++) at = put_tile(&tiles->items[i], s->patch, columns, at, values);
    return give_sizes(run, sizes, tiles, s->patch);
}

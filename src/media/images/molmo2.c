/* Molmo 2: the whole picture and crops of it that overlap, as patches; image_token_pooling says which patches make a
   token. */
#include "media/images/patches.h"
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

typedef struct crop_settings {
    int64_t most, left, right, patch, pool_height, pool_width;
    int64_t crop, window; /* patches along a crop; and of those without margins */
} crop_settings;

static am_status read_pair(const am_image_processor *p, const char *key, int64_t *first, int64_t *second)
{
    am_json pair = am_image_setting(p, key);
    am_json_iterator i = am_json_iterate(pair);
    if (am_json_kind_of(pair) != AM_JSON_ARRAY || am_json_count(pair) != 2 || !am_json_next(&i))
        return am_error(AM_INVALID_FILE, "%s: expected two numbers", key);
    *first = am_json_int(i.value, -1);
    am_json_next(&i);
    *second = am_json_int(i.value, -1);
    if (*first >= 0 && *second >= 0 && *first <= 1024 && *second <= 1024) return NULL;
    return am_error(AM_INVALID_FILE, "%s: expected numbers from 0 to 1024", key);
}

static am_status read_settings(const am_image_processor *p, crop_settings *out)
{
    *out = (crop_settings){.most = 8, .patch = 14};
    AM_TRY(am_image_integer(p, "max_crops", 1, 1024, &out->most));
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(read_pair(p, "overlap_margins", &out->left, &out->right));
    AM_TRY(read_pair(p, "pooling_size", &out->pool_height, &out->pool_width));
    if (!p->size.height || p->size.height != p->size.width || p->size.height % out->patch)
        return am_error(AM_INVALID_FILE, "size: expected height and width that are the same and whole patches");
    out->crop = p->size.height / out->patch;
    out->window = out->crop - out->left - out->right;
    if (out->window > 0 && out->pool_height && out->pool_width) return NULL;
    return am_error(AM_INVALID_FILE, "overlap_margins leave nothing of a crop, or pooling_size is 0");
}

/* select_tiling, in torch's float32; `in` is without margins, and may be negative. */
static am_plane_size grid_of(const crop_settings *s, am_plane_size in)
{
    float most = -INFINITY, least = INFINITY, window = (float)(s->window * s->patch);
    am_plane_size shrinking = {1, 1}, enlarging = {0};
    for (int64_t tiles = 1; tiles <= s->most; tiles++) {
        for (int64_t rows = 1; rows <= tiles; rows++) {
            if (tiles % rows) continue;
            float tall = (float)rows * window / (float)in.height,
                  wide = (float)(tiles / rows) * window / (float)in.width, scale = tall < wide ? tall : wide;
            am_plane_size grid = {rows, tiles / rows};
            if (scale > most) shrinking = grid;
            if (scale > most) most = scale;
            if (scale >= 1.0f && scale < least) {
                least = scale;
                enlarging = grid;
            }
        }
    }
    return enlarging.height ? enlarging : shrinking;
}

static am_plane_size grid_of_image(const crop_settings *s, am_plane_size in)
{
    int64_t margin = (s->left + s->right) * s->patch;
    return grid_of(s, (am_plane_size){in.height - margin, in.width - margin});
}

/* Without antialiasing, in floats, rounded to levels again. */
static am_status resize(const am_image_processor *p, am_picture *picture, am_plane_size to)
{
    AM_TRY(am_picture_to_floats(picture));
    AM_TRY(am_picture_resize(picture, p->backend, to, p->resample, false));
    for (int64_t i = 0; i < picture->channels * to.height * to.width; i++)
        picture->floats[i] = fminf(fmaxf(nearbyintf(picture->floats[i]), 0.0f), 255.0f);
    return am_image_rescale_and_normalize(p, picture);
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image], whole;
    crop_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of_image(&s, (am_plane_size){picture->height, picture->width}),
                  crop = {p->size.height, p->size.width};
    int64_t step = s.window * s.patch, margin = (s.left + s.right) * s.patch;
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    am_status status = am_picture_copy(picture, &whole);
    if (!status) status = resize(p, &whole, crop);
    if (status) am_picture_deinit(&whole);
    else status = am_tiles_take(&out->tiles, &whole);
    if (!status) status = resize(p, picture, (am_plane_size){grid.height * step + margin, grid.width * step + margin});
    for (int64_t i = 0; i < grid.height * grid.width && !status; i++)
        status = am_tiles_add_part(&out->tiles, picture, i / grid.width * step, i % grid.width * step, crop);
    return status;
}

/* The patch that shows a place of the canvas: in the crop to whose inside it belongs, or to whose margin at the edge.
 */
static int64_t patch_at(const crop_settings *s, am_plane_size grid, int64_t row, int64_t column)
{
    int64_t down = (row - s->left) / s->window, across = (column - s->left) / s->window;
    if (row < s->left) down = 0;
    if (column < s->left) across = 0;
    if (down >= grid.height) down = grid.height - 1;
    if (across >= grid.width) across = grid.width - 1;
    return ((down * grid.width + across) * s->crop + row - down * s->window) * s->crop + column - across * s->window;
}

/* arange_for_pooling of `size` patches: windows of pool_height x pool_width, the outside -1; the next place in out. */
static int32_t *put_pooling(const crop_settings *s, am_plane_size size, const am_plane_size *grid, int64_t first,
                            int32_t *out)
{
    am_plane_size pool = {s->pool_height, s->pool_width}, tokens = am_pooled_size(size, pool);
    for (int64_t i = 0; i < tokens.height * tokens.width; i++) {
        for (int64_t k = 0; k < pool.height * pool.width; k++) {
            int64_t row, column;
            bool inside = am_pooled_patch(size, pool, i, k, &row, &column);
            int64_t patch = grid ? patch_at(s, *grid, row, column) : row * size.width + column;
            *out++ = inside ? (int32_t)(first + patch) : -1;
        }
    }
    return out;
}

static int64_t pooled(int64_t patches, int64_t pool)
{
    return (patches + pool - 1) / pool;
}

/* Patches of the canvas. */
static am_plane_size canvas_of(const crop_settings *s, const int64_t grid[2])
{
    return (am_plane_size){grid[0] * s->window + s->left + s->right, grid[1] * s->window + s->left + s->right};
}

static am_status give_pooling(am_image_run *run, const crop_settings *s, const am_tiled *tiled, const int64_t *grids)
{
    int64_t tokens = 0, first = 0;
    for (int64_t i = 0; i < run->count; i++)
        tokens += grids[4 * i] * grids[4 * i + 1] + grids[4 * i + 2] * grids[4 * i + 3];
    am_shape shape = am_shape_of(tokens, s->pool_height * s->pool_width);
    am_tensor *pooling;
    AM_TRY(am_media_tensors_add(run->out, "image_token_pooling", AM_I32, &shape, &pooling));
    int32_t *out = pooling->data;
    for (int64_t i = 0; i < run->count; i++) {
        am_plane_size grid = {tiled->grids[2 * i], tiled->grids[2 * i + 1]};
        out = put_pooling(s, (am_plane_size){s->crop, s->crop}, NULL, first, out);
        out = put_pooling(s, canvas_of(s, tiled->grids + 2 * i), &grid, first + s->crop * s->crop, out);
        first += tiled->counts[i] * s->crop * s->crop;
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    crop_settings s;
    int64_t *grids;
    float *values;
    AM_TRY(read_settings(run->processor, &s));
    am_patching patching = {.patch = {s.patch, s.patch}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    am_shape shape = am_shape_of(tiled->tiles.count, s.crop * s.crop, am_patch_values(&patching, 3)),
             fours = am_shape_of(run->count, 4);
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    for (int64_t i = 0; i < tiled->tiles.count; i++) values = am_patches_put(&tiled->tiles.items[i], &patching, values);
    AM_TRY(am_image_give_integers(run, "image_grids", &fours, &grids));
    for (int64_t i = 0; i < run->count; i++) {
        am_plane_size canvas = canvas_of(&s, tiled->grids + 2 * i);
        grids[4 * i] = pooled(s.crop, s.pool_height);
        grids[4 * i + 1] = pooled(s.crop, s.pool_width);
        grids[4 * i + 2] = pooled(canvas.height, s.pool_height);
        grids[4 * i + 3] = pooled(canvas.width, s.pool_width);
    }
    AM_TRY(give_pooling(run, &s, tiled, grids));
    return am_image_give_numbers(run, "image_num_crops", run->count, 0, tiled->counts);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    crop_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of_image(&s, in), canvas = canvas_of(&s, (int64_t[]){grid.height, grid.width});
    out->rows = pooled(canvas.height, s.pool_height);
    out->columns = pooled(canvas.width, s.pool_width);
    out->count = pooled(s.crop, s.pool_height) * pooled(s.crop, s.pool_width) + out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Molmo2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 378, "width": 378}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "max_crops": 8, "overlap_margins": [4, 4], "patch_size": 14, "pooling_size": [2, 2]
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_molmo2 = {classes};

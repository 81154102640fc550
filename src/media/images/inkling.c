/* Inkling: the picture in patches as it is, what lacks to whole ones a level below black. */
#include "media/images/patches.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static am_status check_size(const am_image_processor *p)
{
    if (p->size.height && p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width");
}

static am_status pad(am_picture *picture, am_plane_size to)
{
    am_margins padding = {.right = to.width - picture->width, .bottom = to.height - picture->height};
    AM_TRY(am_picture_to_floats(picture));
    return am_picture_pad(picture, padding, -1.0);
}

static am_patching patching_of(const am_image_processor *p)
{
    return (am_patching){.patch = {p->size.height, p->size.width}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
}

/* Rows as many as are needed, and one column after the last whole one, which may be empty. */
static am_plane_size grid_of(const am_image_processor *p, am_plane_size in)
{
    return (am_plane_size){(in.height + p->size.height - 1) / p->size.height, in.width / p->size.height + 1};
}

static am_status check_square(const am_image_processor *p)
{
    bool resizes = true;
    AM_TRY(check_size(p));
    AM_TRY(am_image_flag(p, "do_resize", &resizes));
    if (resizes && p->size.height == p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "expected a square size, and do_resize not to be false");
}

/* rescale_image_frac enlarges or shrinks, the longer side at most to a bound or what it was. */
static am_status rescaled(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    double fraction = 0.0, longer = (double)(in.height > in.width ? in.height : in.width);
    int64_t bound = 0;
    *out = in;
    AM_TRY(am_image_number(p, "rescale_image_frac", &fraction));
    AM_TRY(am_image_integer(p, "rescale_image_max_upscaled_long_edge", 1, AM_IMAGE_MAX_PIXELS, &bound));
    if (!(fraction > 0.0)) return NULL;
    double target = longer * fraction;
    if (bound) target = fmin(target, fmax((double)bound, longer));
    double ratio = target / longer;
    if (ratio == 1.0) return NULL;
    *out = (am_plane_size){(int64_t)floor((double)in.height * ratio + 0.5),
                           (int64_t)floor((double)in.width * ratio + 0.5)};
    return NULL;
}

/* Patches one after another become each twice. */
static void repeat(float *values, int64_t patches, int64_t size)
{
    for (int64_t i = patches - 1; i >= 0; i--) {
        memmove(values + (2 * i + 1) * size, values + i * size, (size_t)size * sizeof *values);
        memmove(values + 2 * i * size, values + (2 * i + 1) * size, (size_t)size * sizeof *values);
    }
}

static am_status process(const am_image_processor *p, am_picture *picture, int64_t *out_patches)
{
    am_plane_size to, in = {picture->height, picture->width};
    AM_TRY(rescaled(p, in, &to));
    if (to.height != in.height || to.width != in.width) AM_TRY(am_image_resize(p, picture, to));
    am_plane_size grid = grid_of(p, to);
    *out_patches = grid.height * grid.width;
    AM_TRY(pad(picture, (am_plane_size){grid.height * p->size.height, grid.width * p->size.width}));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    int64_t *numbers, total = 0, size = 3 * p->size.height * p->size.width;
    am_shape flat = am_shape_of(run->count);
    float *values;
    AM_TRY(check_square(p));
    AM_TRY(am_image_give_integers(run, "num_patches", &flat, &numbers));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(process(p, &run->pictures[i], &numbers[i]));
        total += numbers[i];
    }
    am_shape shape = am_shape_of(total, 2, p->size.height, p->size.width, 3);
    am_patching patching = patching_of(p);
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    for (int64_t i = 0; i < run->count; i++) {
        am_patches_put(&run->pictures[i], &patching, values);
        repeat(values, numbers[i], size);
        values += 2 * numbers[i] * size;
    }
    return NULL;
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    AM_TRY(check_square(p));
    AM_TRY(rescaled(p, in, &in));
    am_plane_size grid = grid_of(p, in);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* --- Inkling 2 --- */

/* What is transparent shows a checkerboard of squares of 8. */
static void show_checkerboard(const am_image *image, am_picture *picture)
{
    int64_t plane = picture->height * picture->width;
    for (int64_t i = 0; i < plane && image->has_transparent_color; i++) {
        if (memcmp(image->pixels + 3 * i, image->transparent_color, 3) != 0) continue;
        int64_t square = i / picture->width / 8 + i % picture->width / 8;
        for (int64_t c = 0; c < 3; c++) picture->bytes[c * plane + i] = square % 2 ? 153 : 204;
    }
}

static am_status count_patches2(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    AM_TRY(check_size(p));
    out->rows = (in.height + p->size.height - 1) / p->size.height;
    out->columns = (in.width + p->size.width - 1) / p->size.width;
    out->count = out->rows * out->columns;
    return NULL;
}

static am_status preprocess2(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    int64_t *grid, total = 0;
    am_shape grids = am_shape_of(run->count, 3);
    float *values;
    AM_TRY(am_image_give_integers(run, "image_grid_thw", &grids, &grid));
    for (int64_t i = 0; i < run->count; i++, grid += 3) {
        am_picture *picture = &run->pictures[i];
        am_image_patch_count count;
        if (p->do_convert_rgb) show_checkerboard(&run->inputs->images[i], picture);
        AM_TRY(count_patches2(p, (am_plane_size){picture->height, picture->width}, &count));
        AM_TRY(pad(picture, (am_plane_size){count.rows * p->size.height, count.columns * p->size.width}));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        grid[0] = 1;
        grid[1] = count.rows;
        grid[2] = count.columns;
        total += count.count;
    }
    am_shape shape = am_shape_of(total, p->size.height, p->size.width, 3);
    am_patching patching = patching_of(p);
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    for (int64_t i = 0; i < run->count; i++) values = am_patches_put(&run->pictures[i], &patching, values);
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "InklingImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "size": {"height": 40, "width": 40}, "default_to_square": false, "resample": 1,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "rescale_image_max_upscaled_long_edge": 2048
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "Inkling2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "size": {"height": 40, "width": 40}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     }), .preprocess = preprocess2, .count_patches = count_patches2},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_inkling = {classes};

/* NeoMME and Nemotron-H Omni: patches of pictures one after another, image_grid_hw says how many. */
#include "media/images/patches.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

static am_status give(am_image_run *run, const am_patching *patching)
{
    am_shape pairs = am_shape_of(run->count, 2);
    int64_t *grid, total = 0;
    float *values;
    AM_TRY(am_image_give_integers(run, "image_grid_hw", &pairs, &grid));
    for (int64_t i = 0; i < run->count; i++, grid += 2) {
        grid[0] = run->pictures[i].height / patching->patch.height;
        grid[1] = run->pictures[i].width / patching->patch.width;
        total += grid[0] * grid[1];
    }
    am_shape shape = am_shape_of(total, am_patch_values(patching, run->pictures->channels));
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    for (int64_t i = 0; i < run->count; i++) values = am_patches_put(&run->pictures[i], patching, values);
    return NULL;
}

/* --- NeoMME --- */

static double at_least_one(double side)
{
    return fmax(1.0, side);
}

static bool exceeds(double height, double width, double side, double pixels)
{
    return (side > 0.0 && fmax(height, width) > side) || (pixels > 0.0 && height * width > pixels);
}

/* get_resize_output_size; bounds that are 0 are not given. */
static am_plane_size fit_budget(am_plane_size in, double side, double least, double most)
{
    double height = (double)in.height, width = (double)in.width, area = height * width, scale = 1.0;
    bool grows = least > 0.0 && area < least;
    if (grows) scale = pow(least / area, 0.5);
    if (side > 0.0) scale = fmin(scale, side / fmax(height, width));
    if (most > 0.0) scale = fmin(scale, pow(most / area, 0.5));
    if (scale == 1.0) return in;
    double tall = at_least_one(nearbyint(height * scale)), wide = at_least_one(nearbyint(width * scale));
    if (exceeds(tall, wide, side, most)) {
        tall = at_least_one(floor(height * scale));
        wide = at_least_one(floor(width * scale));
        if (most > 0.0 && tall * wide > most) {
            if (tall >= wide) tall = at_least_one(floor(most / wide));
            else wide = at_least_one(floor(most / tall));
        }
    } else if (grows && tall * wide < least) {
        double up = at_least_one(ceil(height * scale)), across = at_least_one(ceil(width * scale));
        if (!exceeds(up, across, side, most)) {
            tall = up;
            wide = across;
        }
    }
    return (am_plane_size){(int64_t)tall, (int64_t)wide};
}

static am_status fit(const am_image_processor *p, am_plane_size in, int64_t *out_patch, am_plane_size *out)
{
    int64_t side = 0;
    *out_patch = 32;
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, out_patch));
    AM_TRY(am_image_integer(p, "max_side", 1, AM_IMAGE_MAX_PIXELS, &side));
    bool sized = am_json_kind_of(am_image_setting(p, "size")) != AM_JSON_MISSING;
    if (sized && (!p->size.min_pixels || !p->size.max_pixels))
        return am_error(AM_INVALID_FILE, "size: expected min_pixels and max_pixels");
    *out = in;
    if (p->do_resize) *out = fit_budget(in, (double)side, (double)p->size.min_pixels, (double)p->size.max_pixels);
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    int64_t patch = 1;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to;
        AM_TRY(fit(p, (am_plane_size){picture->height, picture->width}, &patch, &to));
        AM_TRY(am_image_resize(p, picture, to));
        am_margins padding = {.right = (patch - to.width % patch) % patch,
                              .bottom = (patch - to.height % patch) % patch};
        AM_TRY(am_picture_pad(picture, padding, 0.0));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        AM_TRY(am_picture_to_floats(picture));
    }
    am_patching patching = {.patch = {patch, patch}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    return give(run, &patching);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    int64_t patch;
    AM_TRY(fit(p, in, &patch, &in));
    out->rows = (in.height + patch - 1) / patch;
    out->columns = (in.width + patch - 1) / patch;
    out->count = out->rows * out->columns;
    return NULL;
}

/* --- Nemotron-H Omni --- */

typedef struct nemotron_settings {
    int64_t patch, merge, least, most;
} nemotron_settings;

/* norm_mean and norm_std of old. */
static am_status standardize_nemotron(am_image_processor *p)
{
    am_json root = am_json_root(p->config);
    if (am_json_kind_of(am_json_get(root, "image_mean")) == AM_JSON_MISSING)
        AM_TRY(am_image_channels(p, "norm_mean", p->image_mean));
    if (am_json_kind_of(am_json_get(root, "image_std")) == AM_JSON_MISSING)
        AM_TRY(am_image_channels(p, "norm_std", p->image_std));
    return NULL;
}

static am_status read_nemotron(const am_image_processor *p, int64_t images, nemotron_settings *out)
{
    double ratio = 0.5;
    int64_t length = 16384, most = 0;
    *out = (nemotron_settings){.patch = 16, .least = 1024};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_number(p, "downsample_ratio", &ratio));
    AM_TRY(am_image_integer(p, "min_num_patches", 0, 1 << 24, &out->least));
    AM_TRY(am_image_integer(p, "max_num_patches", 0, 1 << 24, &most));
    AM_TRY(am_image_integer(p, "max_model_len", 0, 1 << 24, &length));
    double merge = nearbyint(1.0 / ratio);
    if (merge < 1.0 || merge > 64.0) return am_error(AM_INVALID_FILE, "downsample_ratio: found %g", ratio);
    out->merge = (int64_t)merge;
    out->most = (length - 4) * out->merge * out->merge;
    if (out->most < out->least * images) out->most = out->least * images;
    if (most && out->most > most) out->most = most;
    if (out->most < out->least) out->most = out->least;
    return NULL;
}

/* A side of the grid made a multiple of `merge`: up where the whole fits, else down. */
static double round_side(double side, double other, const nemotron_settings *s)
{
    double merge = (double)s->merge, rest = fmod(side, merge);
    if (rest == 0.0) return side;
    if ((side + merge - rest) * other <= (double)s->most) return side + merge - rest;
    return fmax(merge, side - rest);
}

/* get_patch_grid_size */
static am_status grid_nemotron(am_plane_size in, const nemotron_settings *s, am_plane_size *out)
{
    double patch = (double)s->patch, rows = nearbyint((double)in.height / patch + 0.5),
           columns = nearbyint((double)in.width / patch + 0.5);
    double factor = fmin(sqrt((double)s->most / (rows * columns)), 1.0);
    rows = floor(factor * rows);
    columns = floor(factor * columns);
    if (!(rows * columns > 0.0)) return am_error(AM_INVALID_ARGUMENT, "an image too small or narrow for a patch");
    if (s->most > s->least && rows * columns < (double)s->least) {
        factor = sqrt((double)s->least / (rows * columns));
        rows = ceil(factor * rows);
        columns = ceil(factor * columns);
    }
    rows = round_side(rows, columns, s);
    columns = round_side(columns, rows, s);
    *out = (am_plane_size){(int64_t)rows, (int64_t)columns};
    return NULL;
}

static am_status preprocess_nemotron(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    nemotron_settings s;
    AM_TRY(read_nemotron(p, run->count, &s));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size grid, in = {picture->height, picture->width};
        AM_TRY(grid_nemotron(in, &s, &grid));
        AM_TRY(am_picture_to_floats(picture));
        if (grid.height * s.patch != in.height || grid.width * s.patch != in.width)
            AM_TRY(am_image_resize(p, picture, (am_plane_size){grid.height * s.patch, grid.width * s.patch}));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
    }
    am_patching patching = {.patch = {s.patch, s.patch}, .merge = 1, .times = 1};
    return give(run, &patching);
}

static am_status count_nemotron(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    nemotron_settings s;
    am_plane_size grid;
    AM_TRY(read_nemotron(p, 1, &s));
    AM_TRY(grid_nemotron(in, &s, &grid));
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "NeoMMEImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 2, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "patch_size": 32
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "NemotronH_Omni_Reasoning_V3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "downsample_ratio": 0.5, "max_model_len": 16384, "max_num_patches": 13312, "min_num_patches": 1024,
         "patch_size": 16
     }), .preprocess = preprocess_nemotron, .count_patches = count_nemotron,
     .standardize = standardize_nemotron},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_neomme = {classes};

/* Gemma 4: pictures of about their own shape as patches, each with its position; the unified form takes the patches
   that are pooled later as one. */
#include "media/images/patches.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct gemma4_settings {
    int64_t patch, tokens, pool;
} gemma4_settings;

static am_status read_settings(const am_image_processor *p, gemma4_settings *out)
{
    *out = (gemma4_settings){.patch = 16, .tokens = 280, .pool = 3};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_integer(p, "pooling_kernel_size", 1, 64, &out->pool));
    AM_TRY(am_image_integer(p, "max_soft_tokens", 1, 1120, &out->tokens));
    for (int64_t tokens = 70; tokens <= 1120; tokens *= 2)
        if (out->tokens == tokens) return NULL;
    return am_error(AM_INVALID_FILE, "max_soft_tokens: expected 70, 140, 280, 560 or 1120, found %" PRId64,
                    out->tokens);
}

/* get_aspect_ratio_preserving_size */
static am_status fit(am_plane_size in, const gemma4_settings *s, am_plane_size *out)
{
    double unit = (double)(s->pool * s->patch), height = (double)in.height, width = (double)in.width,
           most = (double)(s->tokens * s->pool * s->pool) * (double)s->patch * (double)s->patch,
           factor = sqrt(most / (height * width)), tall = floor(factor * height / unit) * unit,
           wide = floor(factor * width / unit) * unit, longest = (double)s->tokens * unit;
    if (tall == 0.0 && wide == 0.0) return am_error(AM_INVALID_ARGUMENT, "attempting to resize to a 0 x 0 image");
    if (tall == 0.0) {
        tall = unit;
        wide = fmin(floor(width / height) * unit, longest);
    } else if (wide == 0.0) {
        wide = unit;
        tall = fmin(floor(height / width) * unit, longest);
    }
    *out = (am_plane_size){(int64_t)tall, (int64_t)wide};
    if (tall * wide <= most) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "an image of %" PRId64 "x%" PRId64 " would become %gx%g pixels, more than %" PRId64 " tokens",
                    in.height, in.width, tall, wide, s->tokens);
}

static void put_positions(const am_picture *picture, int64_t unit, int64_t most, int64_t *out)
{
    int64_t columns = picture->width / unit, patches = picture->height / unit * columns;
    for (int64_t k = 0; k < most; k++) {
        out[2 * k] = k < patches ? k % columns : -1;
        out[2 * k + 1] = k < patches ? k / columns : -1;
    }
}

static am_status give(am_image_run *run, const gemma4_settings *s, int64_t unit, int64_t most)
{
    am_patching patching = {.patch = {unit, unit}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    int64_t *positions, *tokens, block = s->patch * s->patch * s->pool * s->pool;
    for (int64_t i = 0; i < run->count; i++) {
        int64_t patches = run->pictures[i].height / unit * (run->pictures[i].width / unit);
        if (patches > most)
            return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " patches of a picture; expected at most %" PRId64, patches,
                            most);
    }
    AM_TRY(am_patches_give_padded(run, run->pictures, run->count, &patching, most, false));
    am_shape shape = am_shape_of(run->count, most, 2), flat = am_shape_of(run->count);
    AM_TRY(am_image_give_integers(run, "image_position_ids", &shape, &positions));
    AM_TRY(am_image_give_integers(run, "num_soft_tokens_per_image", &flat, &tokens));
    for (int64_t i = 0; i < run->count; i++) {
        put_positions(&run->pictures[i], unit, most, positions + i * most * 2);
        tokens[i] = run->pictures[i].height * run->pictures[i].width / block;
    }
    return NULL;
}

static am_status process(am_image_run *run, bool merges)
{
    const am_image_processor *p = run->processor;
    gemma4_settings s;
    AM_TRY(read_settings(p, &s));
    int64_t unit = merges ? s.patch * s.pool : s.patch;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to;
        if (p->do_resize) {
            AM_TRY(fit((am_plane_size){picture->height, picture->width}, &s, &to));
            AM_TRY(am_image_resize(p, picture, to));
        }
        AM_TRY(am_patches_check(picture, (am_plane_size){unit, unit}, 1));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        AM_TRY(am_picture_to_floats(picture));
    }
    return give(run, &s, unit, merges ? s.tokens : s.tokens * s.pool * s.pool);
}

static am_status preprocess(am_image_run *run)
{
    return process(run, false);
}

static am_status preprocess_unified(am_image_run *run)
{
    return process(run, true);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    gemma4_settings s;
    AM_TRY(read_settings(p, &s));
    if (p->do_resize) AM_TRY(fit(in, &s, &in));
    out->rows = in.height / s.patch / s.pool;
    out->columns = in.width / s.patch / s.pool;
    out->count = in.height / s.patch * (in.width / s.patch) / (s.pool * s.pool);
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Gemma4ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": false,
         "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "max_soft_tokens": 280, "patch_size": 16,
         "pooling_kernel_size": 3
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "Gemma4UnifiedImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": false,
         "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "max_soft_tokens": 280, "patch_size": 16,
         "pooling_kernel_size": 3
     }), .preprocess = preprocess_unified, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_gemma4 = {classes};

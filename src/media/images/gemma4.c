/* Gemma 4: pictures of about their own shape as patches, each with its position; the unified form takes the patches
   that are pooled later as one. */
#include "media/images/budgets.h"
#include "media/images/patches.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static am_status give(am_image_run *run, const am_soft_tokens *s, int64_t unit, int64_t most)
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
        am_soft_token_positions(&run->pictures[i], unit, most, positions + i * most * 2);
        tokens[i] = run->pictures[i].height * run->pictures[i].width / block;
    }
    return NULL;
}

static am_status process(am_image_run *run, bool merges)
{
    const am_image_processor *p = run->processor;
    am_soft_tokens s;
    AM_TRY(am_soft_tokens_read(p, &s));
    int64_t unit = merges ? s.patch * s.pool : s.patch;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to;
        if (p->do_resize) {
            AM_TRY(am_fit_soft_tokens((am_plane_size){picture->height, picture->width}, &s, &to));
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
    am_soft_tokens s;
    AM_TRY(am_soft_tokens_read(p, &s));
    if (p->do_resize) AM_TRY(am_fit_soft_tokens(in, &s, &in));
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

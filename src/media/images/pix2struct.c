/* Pix2Struct and Kosmos-2.5: the picture normalized by its own mean and deviation, stretched to at most max_patches
   patches, each with its row and column before it. */
#include "media/images/processor.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

typedef struct flattening {
    int64_t most;
    am_image_size patch;
    bool is_vqa;
} flattening;

/* image_mean and image_std are settings, but nothing is normalized by them. */
static am_status standardize(am_image_processor *p)
{
    p->image_std[0] = p->image_std[1] = p->image_std[2] = 1.0;
    return NULL;
}

static am_status read_settings(const am_image_processor *p, flattening *out)
{
    *out = (flattening){.most = 2048};
    AM_TRY(am_image_integer(p, "max_patches", 1, 1 << 20, &out->most));
    AM_TRY(am_image_read_size(p, "patch_size", true, &out->patch));
    AM_TRY(am_image_flag(p, "is_vqa", &out->is_vqa));
    if (out->patch.height && out->patch.width && out->patch.height <= 1024 && out->patch.width <= 1024) return NULL;
    return am_error(AM_INVALID_FILE, "patch_size: expected height and width up to 1024");
}

static int64_t feasible(double scale, int64_t side, int64_t patch, int64_t most)
{
    return (int64_t)fmax(1.0, fmin(floor(scale * (double)side / (double)patch), (double)most));
}

/* Rows and columns of patches. */
static am_plane_size grid_of(const flattening *s, am_plane_size in)
{
    double scale = pow((double)s->most * ((double)s->patch.height / (double)in.height) *
                           ((double)s->patch.width / (double)in.width),
                       0.5);
    return (am_plane_size){feasible(scale, in.height, s->patch.height, s->most),
                           feasible(scale, in.width, s->patch.width, s->most)};
}

/* By its own statistics: torch's deviation is of n - 1, numpy's of n. */
static am_status normalize(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(am_picture_to_floats(picture));
    int64_t count = picture->channels * picture->height * picture->width;
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++) sum += (double)picture->floats[i];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double off = (double)picture->floats[i] - mean;
        squares += off * off;
    }
    double std = sqrt(squares / (double)(p->backend == AM_IMAGE_PIL ? count : count - 1));
    double deviations[64], means[64];
    for (int64_t c = 0; c < picture->channels; c++) {
        deviations[c] = fmax(std, 1.0 / sqrt((double)count));
        means[c] = mean;
    }
    return am_picture_normalize(picture, means, deviations);
}

static am_status process(const am_image_processor *p, const flattening *s, am_picture *picture)
{
    am_plane_size grid = grid_of(s, (am_plane_size){picture->height, picture->width}),
                  to = {grid.height * s->patch.height, grid.width * s->patch.width};
    if (p->do_normalize) AM_TRY(normalize(p, picture));
    else if (!p->kind->details) AM_TRY(am_picture_to_floats(picture));
    else return am_error(AM_INVALID_ARGUMENT, "do_normalize: bytes that are not normalized cannot become patches");
    AM_TRY(am_picture_resize(picture, AM_IMAGE_TORCHVISION, to, AM_RESAMPLE_BILINEAR, true));
    return am_picture_to_floats(picture);
}

static void put_patches(const am_picture *picture, const flattening *s, float *out, float *mask)
{
    int64_t columns = picture->width / s->patch.width, rows = picture->height / s->patch.height,
            plane = picture->height * picture->width;
    for (int64_t i = 0; i < rows * columns; i++) {
        const float *from =
            picture->floats + i / columns * s->patch.height * picture->width + i % columns * s->patch.width;
        *out++ = (float)(i / columns + 1);
        *out++ = (float)(i % columns + 1);
        for (int64_t k = 0; k < s->patch.height * s->patch.width; k++)
            for (int64_t c = 0; c < picture->channels; c++)
                *out++ = from[c * plane + k / s->patch.width * picture->width + k % s->patch.width];
        mask[i] = 1.0f;
    }
}

static am_status check_header(const am_image_run *run, const flattening *s)
{
    if (!s->is_vqa) return NULL;
    if (am_json_kind_of(am_json_get(run->inputs->arguments, "header_text")) == AM_JSON_MISSING)
        return am_error(AM_INVALID_ARGUMENT, "a header text must be provided for VQA models");
    return am_error(AM_UNSUPPORTED, "header_text: rendering a header needs a font");
}

static am_status give_sizes(am_image_run *run, const flattening *s)
{
    const char *names[] = {"width", "height", "rows", "cols"};
    am_shape flat = am_shape_of(run->count);
    for (int k = 0; k < 4; k++) {
        int64_t *out;
        AM_TRY(am_image_give_integers(run, names[k], &flat, &out));
        for (int64_t i = 0; i < run->count; i++) {
            const am_picture *picture = &run->pictures[i];
            out[i] = k == 0   ? picture->width
                     : k == 1 ? picture->height
                     : k == 2 ? picture->height / s->patch.height
                              : picture->width / s->patch.width;
        }
    }
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    flattening s;
    float *values, *mask;
    AM_TRY(read_settings(p, &s));
    AM_TRY(check_header(run, &s));
    int64_t length = 2 + run->pictures->channels * s.patch.height * s.patch.width;
    am_shape shape = am_shape_of(run->count, s.most, length), flat = am_shape_of(run->count, s.most);
    AM_TRY(am_image_give_floats(run, "flattened_patches", &shape, &values));
    AM_TRY(am_image_give_floats(run, "attention_mask", &flat, &mask));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(process(p, &s, &run->pictures[i]));
        am_plane_size grid = {run->pictures[i].height / s.patch.height, run->pictures[i].width / s.patch.width};
        if (grid.height * grid.width > s.most) return am_error(AM_INVALID_ARGUMENT, "more patches than max_patches");
        put_patches(&run->pictures[i], &s, values + i * s.most * length, mask + i * s.most);
    }
    return p->kind->details ? give_sizes(run, &s) : NULL;
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    flattening s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = grid_of(&s, in);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    return NULL;
}

/* Of Kosmos-2.5. */
static const bool gives_sizes = true;

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Pix2StructImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_normalize": true, "is_vqa": false, "max_patches": 2048,
         "patch_size": {"height": 16, "width": 16}
     }), .preprocess = preprocess, .count_patches = count_patches, .standardize = standardize},
    {.name = "Kosmos2_5ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_normalize": true, "max_patches": 4096, "patch_size": {"height": 16, "width": 16}
     }), .preprocess = preprocess, .count_patches = count_patches, .standardize = standardize, .details = &gives_sizes},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_pix2struct = {classes};

/* Keypoint detectors and matchers: three channels of grey, not normalized; matchers take pairs of pictures. */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static float value_at(const am_picture *p, int64_t i)
{
    return p->is_float ? p->floats[i] : (float)p->bytes[i];
}

static bool is_grey(const am_picture *p)
{
    int64_t plane = p->height * p->width;
    for (int64_t i = 0; i < plane; i++) {
        float red = value_at(p, i);
        if (red != value_at(p, plane + i) || red != value_at(p, 2 * plane + i)) return false;
    }
    return true;
}

/* torchvision's rgb_to_grayscale (bytes are cut) and NumPy's sum in double precision. */
static void make_grey(am_picture *p, am_image_backend backend)
{
    int64_t plane = p->height * p->width;
    for (int64_t i = 0; i < plane; i++) {
        float red = value_at(p, i), green = value_at(p, plane + i), blue = value_at(p, 2 * plane + i), grey;
        if (backend == AM_IMAGE_PIL && !p->is_float)
            grey = (float)((double)red * 0.2989 + (double)green * 0.587 + (double)blue * 0.114);
        else grey = red * 0.2989f + green * 0.587f + blue * 0.114f;
        for (int64_t c = 0; c < 3; c++) {
            if (p->is_float) p->floats[c * plane + i] = grey;
            else p->bytes[c * plane + i] = (uint8_t)grey;
        }
    }
}

static bool same_size(const am_picture *a, const am_picture *b)
{
    return a->height == b->height && a->width == b->width;
}

/* A picture that is grey already stays as it is; torchvision's classes look at all pictures of one size together. */
static void make_all_grey(am_image_run *run)
{
    bool together = run->processor->backend == AM_IMAGE_TORCHVISION;
    bool done[64] = {false};
    for (int64_t i = 0; i < run->count; i++) {
        bool grey = is_grey(&run->pictures[i]);
        if (done[i]) continue;
        for (int64_t k = i + 1; k < run->count && together; k++)
            if (same_size(&run->pictures[i], &run->pictures[k])) grey = is_grey(&run->pictures[k]) && grey;
        for (int64_t k = i; k < run->count && (k == i || together); k++) {
            if (done[k] || !same_size(&run->pictures[i], &run->pictures[k])) continue;
            done[k] = true;
            if (!grey) make_grey(&run->pictures[k], run->processor->backend);
        }
    }
}

static am_status read_grey(am_image_run *run, bool *out)
{
    if (run->count > 64)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " pictures at once; expected at most 64", run->count);
    return am_image_flag(run->processor, "do_grayscale", out);
}

static am_status resize_all(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_do_resize(run->processor, &run->pictures[i]));
    return NULL;
}

static am_status rescale_all(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count && p->do_rescale; i++)
        AM_TRY(am_picture_rescale(&run->pictures[i], p->backend, p->rescale_factor));
    return NULL;
}

/* torchvision's class makes bytes grey, the Pil class what was resized and rescaled. */
static am_status superpoint(am_image_run *run)
{
    bool grey = false, first = run->processor->backend == AM_IMAGE_TORCHVISION;
    AM_TRY(read_grey(run, &grey));
    if (grey && first) make_all_grey(run);
    AM_TRY(resize_all(run));
    AM_TRY(rescale_all(run));
    if (grey && !first) make_all_grey(run);
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* Pictures 2 i and 2 i + 1 belong together: [pairs, 2, 3, height, width]. */
static am_status pairs(am_image_run *run)
{
    bool grey = false;
    if (run->count % 2) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images; expected pairs of them", run->count);
    AM_TRY(read_grey(run, &grey));
    AM_TRY(resize_all(run));
    AM_TRY(rescale_all(run));
    if (grey) make_all_grey(run);
    am_media_tensors *out = run->out;
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    const am_tensor *made;
    AM_TRY(am_media_tensors_get(out, "pixel_values", &made));
    am_shape *shape = &out->items[out->count - 1].tensors->shape;
    *shape = am_shape_of(run->count / 2, 2, made->shape.dims[1], made->shape.dims[2], made->shape.dims[3]);
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "EfficientLoFTRImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 480, "width": 640}, "default_to_square": false, "resample": 2,
         "do_rescale": true, "do_grayscale": true
     }), .preprocess = pairs},
    {.name = "LightGlueImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 480, "width": 640}, "default_to_square": false, "resample": 2,
         "do_rescale": true, "do_grayscale": true
     }), .preprocess = pairs},
    {.name = "SuperGlueImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 480, "width": 640}, "default_to_square": false, "resample": 2,
         "do_rescale": true, "do_grayscale": true
     }), .preprocess = pairs},
    {.name = "SuperPointImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 480, "width": 640}, "default_to_square": false, "resample": 2,
         "do_rescale": true, "do_grayscale": false
     }), .preprocess = superpoint},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_keypoints = {classes};

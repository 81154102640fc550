/* Depth estimators: sides are multiples of ensure_multiple_of, the aspect ratio kept where keep_aspect_ratio says so.
 */
#include "media/images/processor.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static double to_multiple(double side, double unit)
{
    double rounded = nearbyint(side / unit) * unit;
    return rounded < 0.0 ? ceil(side / unit) * unit : rounded;
}

/* get_resize_output_image_size of DPT. */
static am_status new_size(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    double unit = 1.0, tall, wide;
    bool keep_aspect_ratio = false;
    AM_TRY(am_image_number(p, "ensure_multiple_of", &unit));
    AM_TRY(am_image_flag(p, "keep_aspect_ratio", &keep_aspect_ratio));
    if (!p->size.height || !p->size.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    tall = (double)p->size.height / (double)in.height;
    wide = (double)p->size.width / (double)in.width;
    if (keep_aspect_ratio && fabs(1.0 - wide) < fabs(1.0 - tall)) tall = wide;
    else if (keep_aspect_ratio) wide = tall;
    tall = fmin(to_multiple(tall * (double)in.height, unit), (double)AM_IMAGE_MAX_PIXELS);
    wide = fmin(to_multiple(wide * (double)in.width, unit), (double)AM_IMAGE_MAX_PIXELS);
    *out = (am_plane_size){(int64_t)tall, (int64_t)wide};
    if (out->height > 0 && out->width > 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "an image of %" PRId64 "x%" PRId64 " would become one of %" PRId64 "x%" PRId64 " (height, width)",
                    in.height, in.width, out->height, out->width);
}

/* Zeros around, up to multiples; the odd one after. */
static am_status pad_to_multiples(am_picture *picture, int64_t unit)
{
    int64_t tall = (picture->height + unit - 1) / unit * unit - picture->height,
            wide = (picture->width + unit - 1) / unit * unit - picture->width;
    am_margins margins = {.left = wide / 2, .top = tall / 2, .right = wide - wide / 2, .bottom = tall - tall / 2};
    return am_picture_pad(picture, margins, 0.0);
}

static am_status dpt_steps(const am_image_processor *p, am_picture *picture)
{
    int64_t size_divisor = 0;
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &size_divisor));
    AM_TRY(am_image_do_resize(p, picture));
    if (p->backend == AM_IMAGE_TORCHVISION) AM_TRY(am_image_do_center_crop(p, picture));
    AM_TRY(am_image_rescale_and_normalize(p, picture));
    if (!p->do_pad) return NULL;
    if (size_divisor) return pad_to_multiples(picture, size_divisor);
    return p->backend == AM_IMAGE_PIL ? NULL : am_error(AM_INVALID_FILE, "do_pad: expected size_divisor with it");
}

/* --- ZoeDepth --- */

/* Where pixel i of a padded side lies, mirrored at the borders without repeating them. */
static int64_t reflect(int64_t i, int64_t side)
{
    if (i < 0) i = -i;
    return i < side ? i : 2 * (side - 1) - i;
}

static am_status pad_reflected(am_picture *picture)
{
    int64_t tall = (int64_t)(sqrt((double)picture->height / 2.0) * 3.0),
            wide = (int64_t)(sqrt((double)picture->width / 2.0) * 3.0);
    am_picture out;
    if (tall >= picture->height || wide >= picture->width)
        return am_error(AM_INVALID_ARGUMENT,
                        "a picture of %" PRId64 "x%" PRId64 " (height, width) is too small to be mirrored around",
                        picture->height, picture->width);
    AM_TRY(am_picture_create(picture->channels, picture->height + 2 * tall, picture->width + 2 * wide, true, &out));
    for (int64_t c = 0; c < out.channels; c++)
        for (int64_t y = 0; y < out.height; y++)
            for (int64_t x = 0; x < out.width; x++)
                out.floats[(c * out.height + y) * out.width + x] =
                    picture->floats[(c * picture->height + reflect(y - tall, picture->height)) * picture->width +
                                    reflect(x - wide, picture->width)];
    am_picture_deinit(picture);
    *picture = out;
    return NULL;
}

static am_status resize_corners(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to;
    AM_TRY(new_size(p, (am_plane_size){picture->height, picture->width}, &to));
    return am_picture_resize_corners(picture, to, p->resample);
}

static am_status zoedepth_steps(const am_image_processor *p, am_picture *picture)
{
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    AM_TRY(am_picture_to_floats(picture));
    if (p->do_pad) AM_TRY(pad_reflected(picture));
    if (p->do_resize) AM_TRY(resize_corners(p, picture));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
}

/* --- Sapiens2 --- */

/* do_pad keeps the aspect ratio, with zeros around. */
static am_status sapiens2_steps(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to = {p->size.height, p->size.width}, in = {picture->height, picture->width};
    if (p->do_resize && p->do_pad) {
        if (!to.height || !to.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
        am_image_size box = {.max_height = to.height, .max_width = to.width};
        am_plane_size inside;
        AM_TRY(am_image_fit(&box, in, &inside));
        AM_TRY(am_image_resize(p, picture, inside));
        AM_TRY(am_picture_center_crop(picture, p->backend, to));
    } else AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "CHMv2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": false, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.42, 0.411, 0.296], "image_std": [0.213, 0.156, 0.143],
         "do_pad": true, "ensure_multiple_of": 16, "keep_aspect_ratio": true, "size_divisor": 16
     }), .new_size = new_size, .steps = dpt_steps},
    {.name = "DPTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": false,
         "ensure_multiple_of": 1, "keep_aspect_ratio": false
     }), .new_size = new_size, .steps = dpt_steps},
    {.name = "PromptDepthAnythingImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": false,
         "ensure_multiple_of": 1, "keep_aspect_ratio": false, "prompt_scale_to_meter": 0.001
     }), .new_size = new_size, .steps = dpt_steps},
    {.name = "Sapiens2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 1024, "width": 768}, "resample": 2, "do_center_crop": false,
         "crop_size": {"height": 224, "width": 224}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_pad": false,
         "do_reduce_labels": false, "keypoint_heatmap_downscale_factor": 4, "keypoint_heatmap_sigma": 6.0
     }), .steps = sapiens2_steps},
    {.name = "ZoeDepthImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 512}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true,
         "ensure_multiple_of": 0.03125, "keep_aspect_ratio": true
     }), .steps = zoedepth_steps},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_depth = {classes};

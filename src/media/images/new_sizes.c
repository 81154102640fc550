/* Classes that differ from the common way by the size that pictures get. */
#include "media/images/processor.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static am_status check(const am_plane_size *size)
{
    if (size->height > 0 && size->width > 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a picture would become one of %" PRId64 "x%" PRId64 " pixels (height, width)",
                    size->height, size->width);
}

/* GLPN: down to multiples of size_divisor; `size` says nothing. */
static am_status cut_to_multiples(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t unit = 32;
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    *out = (am_plane_size){in.height / unit * unit, in.width / unit * unit};
    return check(out);
}

/* LeViT: what is cropped to 224 is resized to 256 before. */
static am_status enlarge_by_256_of_224(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    if (!p->size.shortest_edge) return am_image_fit(&p->size, in, out);
    *out = am_image_fit_shortest(in, (int64_t)(256.0 / 224.0 * (double)p->size.shortest_edge));
    return check(out);
}

/* PoolFormer: what is cropped to `size` is resized to size / crop_pct before. */
static am_status enlarge_by_crop_pct(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    double crop_pct = 0.0;
    AM_TRY(am_image_number(p, "crop_pct", &crop_pct));
    if (crop_pct == 0.0) return am_image_fit(&p->size, in, out);
    const am_image_size *s = &p->size;
    double limit = (double)AM_IMAGE_MAX_PIXELS;
    if (s->shortest_edge) *out = am_image_fit_shortest(in, (int64_t)fmin((double)s->shortest_edge / crop_pct, limit));
    else if (s->height && s->height == s->width)
        *out = am_image_fit_shortest(in, (int64_t)fmin((double)s->height / crop_pct, limit));
    else if (s->height && s->width)
        *out = (am_plane_size){(int64_t)fmin((double)s->height / crop_pct, limit),
                               (int64_t)fmin((double)s->width / crop_pct, limit)};
    else return am_error(AM_INVALID_FILE, "size: expected shortest_edge, or height and width");
    return check(out);
}

/* TextNet: the shorter edge as `size` says, both up to multiples of size_divisor. */
static am_status raise_to_multiples(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t unit = 32;
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    if (!p->size.shortest_edge) return am_error(AM_INVALID_FILE, "size: expected shortest_edge");
    *out = am_image_fit_shortest(in, p->size.shortest_edge);
    out->height = (out->height + unit - 1) / unit * unit;
    out->width = (out->width + unit - 1) / unit * unit;
    return check(out);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "GLPNImageProcessor",
     .defaults = AM_JSON({"do_resize": true, "resample": 2, "do_rescale": true, "size_divisor": 32}), .new_size = cut_to_multiples},
    {.name = "LevitImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false, "resample": 3,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     }), .new_size = enlarge_by_256_of_224},
    {.name = "PoolFormerImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false, "resample": 3,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
         "crop_pct": 0.9
     }), .new_size = enlarge_by_crop_pct},
    {.name = "TextNetImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 640}, "default_to_square": false,
         "resample": 2, "do_center_crop": false, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
         "size_divisor": 32
     }), .new_size = raise_to_multiples},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_new_sizes = {classes};

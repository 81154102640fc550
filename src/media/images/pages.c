/* Pages: Donut, Nougat and PP-FormulaNet keep the whole page, turned where that fits better, in the middle of the size.
 */
#include "media/images/processor.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

typedef struct page_settings {
    bool align_long_axis, thumbnail, crop_margin;
    am_resample small;   /* filter of the thumbnail */
    double reducing_gap; /* of PIL's thumbnail; 0: none */
} page_settings;

static am_status read_settings(const am_image_processor *p, page_settings *out)
{
    AM_TRY(am_image_flag(p, "do_align_long_axis", &out->align_long_axis));
    AM_TRY(am_image_flag(p, "do_thumbnail", &out->thumbnail));
    AM_TRY(am_image_flag(p, "do_crop_margin", &out->crop_margin));
    if (p->size.height && p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width");
}

/* A quarter turn clockwise. */
static am_status turn(am_picture *picture)
{
    am_picture out;
    AM_TRY(am_picture_create(picture->channels, picture->width, picture->height, picture->is_float, &out));
    size_t item = picture->is_float ? sizeof(float) : 1;
    char *to = out.data;
    for (int64_t c = 0; c < out.channels; c++)
        for (int64_t y = 0; y < out.height; y++)
            for (int64_t x = 0; x < out.width; x++, to += item) {
                int64_t row = c * picture->height + picture->height - 1 - x, at = row * picture->width + y;
                memcpy(to, (const char *)picture->data + (size_t)at * item, item);
            }
    am_picture_deinit(picture);
    *picture = out;
    return NULL;
}

static am_status align_long_axis(const am_image_processor *p, am_picture *picture)
{
    bool tall = p->size.height > p->size.width, wide = p->size.height < p->size.width;
    if ((tall && picture->width > picture->height) || (wide && picture->width < picture->height)) return turn(picture);
    return NULL;
}

static am_status fit_shortest(const am_image_processor *p, am_picture *picture)
{
    int64_t shortest = p->size.height < p->size.width ? p->size.height : p->size.width;
    am_image_size size = {.shortest_edge = shortest};
    am_plane_size to, in = {picture->height, picture->width};
    AM_TRY(am_image_fit(&size, in, &to));
    return am_image_resize(p, picture, to);
}

/* Into the size, where it is larger. */
static am_status thumbnail(const am_image_processor *p, am_picture *picture, const page_settings *s)
{
    am_plane_size in = {picture->height, picture->width}, to = in;
    if (to.height > p->size.height) to.height = p->size.height;
    if (to.width > p->size.width) to.width = p->size.width;
    if (to.height == in.height && to.width == in.width) return NULL;
    if (in.height > in.width) to.width = in.width * to.height / in.height;
    else if (in.width > in.height) to.height = in.height * to.width / in.width;
    if (to.height < 1 || to.width < 1)
        return am_error(AM_INVALID_ARGUMENT,
                        "a picture of %" PRId64 "x%" PRId64 " (height, width) would have no pixels", in.height,
                        in.width);
    if (s->reducing_gap > 0.0 && p->backend == AM_IMAGE_PIL)
        return am_picture_resize_reduced(picture, to, s->small, s->reducing_gap);
    return am_picture_resize(picture, p->backend, to, s->small, true);
}

static int64_t half_down(int64_t x)
{
    return x >= 0 ? x / 2 : -((1 - x) / 2);
}

/* In the middle of the size; torchvision's pad cuts where the picture is larger, PIL's is an error. */
static am_status pad_to_size(const am_image_processor *p, am_picture *picture)
{
    int64_t tall = p->size.height - picture->height, wide = p->size.width - picture->width;
    am_margins m = {.left = half_down(wide), .top = half_down(tall)};
    m.right = wide - m.left;
    m.bottom = tall - m.top;
    if (p->backend == AM_IMAGE_TORCHVISION && (tall < 0 || wide < 0)) {
        am_plane_size inside = {tall < 0 ? p->size.height : picture->height, wide < 0 ? p->size.width : picture->width};
        AM_TRY(am_picture_crop(picture, tall < 0 ? -m.top : 0, wide < 0 ? -m.left : 0, inside));
        if (tall < 0) m.top = m.bottom = 0;
        if (wide < 0) m.left = m.right = 0;
    }
    return am_picture_pad(picture, m, 0.0);
}

/* --- margins --- */

/* torchvision's grey cuts to bytes, PIL's rounds in fixed point. */
static uint8_t grey_of(const am_picture *picture, am_image_backend backend, int64_t i)
{
    int64_t plane = picture->height * picture->width;
    uint8_t red = picture->bytes[i], green = picture->bytes[plane + i], blue = picture->bytes[2 * plane + i];
    if (backend == AM_IMAGE_PIL) return (uint8_t)((red * 19595U + green * 38470U + blue * 7471U + 0x8000U) >> 16);
    return (uint8_t)((float)red * 0.2989f + (float)green * 0.587f + (float)blue * 0.114f);
}

static bool is_dark(uint8_t grey, uint8_t least, uint8_t most, am_image_backend backend)
{
    if (backend == AM_IMAGE_PIL) return (double)(grey - least) / (double)(most - least) * 255.0 < 200.0;
    return (float)(grey - least) / (float)(most - least) * 255.0f < 200.0f;
}

/* Cuts what is light around what is dark. */
static am_status crop_margin(am_picture *picture, am_image_backend backend)
{
    int64_t plane = picture->height * picture->width, top = picture->height, left = picture->width, bottom = 0,
            right = 0;
    uint8_t least = 255, most = 0;
    for (int64_t i = 0; i < plane; i++) {
        uint8_t grey = grey_of(picture, backend, i);
        if (grey < least) least = grey;
        if (grey > most) most = grey;
    }
    if (least == most) return NULL;
    for (int64_t i = 0; i < plane; i++) {
        int64_t y = i / picture->width, x = i % picture->width;
        if (!is_dark(grey_of(picture, backend, i), least, most, backend)) continue;
        if (y < top) top = y;
        if (y >= bottom) bottom = y + 1;
        if (x < left) left = x;
        if (x >= right) right = x + 1;
    }
    return am_picture_crop(picture, top, left, (am_plane_size){bottom - top, right - left});
}

/* --- classes --- */

static am_status steps(const am_image_processor *p, am_picture *picture, const page_settings *s)
{
    if (s->crop_margin) AM_TRY(crop_margin(picture, p->backend));
    if (s->align_long_axis) AM_TRY(align_long_axis(p, picture));
    if (p->do_resize) AM_TRY(fit_shortest(p, picture));
    if (s->thumbnail) AM_TRY(thumbnail(p, picture, s));
    if (p->do_pad) AM_TRY(pad_to_size(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status pages(am_image_run *run, page_settings s)
{
    AM_TRY(read_settings(run->processor, &s));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(steps(run->processor, &run->pictures[i], &s));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

static am_status donut(am_image_run *run)
{
    return pages(run, (page_settings){.small = run->processor->resample});
}

static am_status nougat(am_image_run *run)
{
    return pages(run, (page_settings){.small = AM_RESAMPLE_BICUBIC, .reducing_gap = 2.0});
}

/* Donut's size as a list is width, height. */
static am_status turn_size(am_image_processor *p)
{
    if (am_json_kind_of(am_image_setting(p, "size")) != AM_JSON_ARRAY) return NULL;
    int64_t height = p->size.width;
    p->size.width = p->size.height;
    p->size.height = height;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "DonutImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 2560, "width": 1920}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true,
         "do_align_long_axis": false, "do_thumbnail": true
     }), .preprocess = donut, .standardize = turn_size},
    {.name = "NougatImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 896, "width": 672}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
         "do_pad": true, "do_align_long_axis": false, "do_crop_margin": true, "do_thumbnail": true
     }), .preprocess = nougat},
    {.name = "PPFormulaNetImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 768, "width": 768}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.7931, 0.7931, 0.7931], "image_std": [0.1738, 0.1738, 0.1738],
         "do_pad": true, "do_align_long_axis": false, "do_crop_margin": true, "do_thumbnail": true
     }), .preprocess = nougat},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_pages = {classes};

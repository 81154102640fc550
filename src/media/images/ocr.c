/* PP-OCR finds lines of text and reads them, SLANeXt reads tables. Channels are blue, green, red for some. */
#include "media/images/processor.h"

#include "base/memory.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- detection --- */

typedef struct side_limit {
    double length;
    int64_t longest; /* 0: any */
    const char *type;
} side_limit;

static am_status read_limit(const am_image_processor *p, side_limit *out)
{
    int64_t length = 960;
    AM_TRY(am_image_integer(p, "limit_side_len", 1, AM_IMAGE_MAX_PIXELS, &length));
    AM_TRY(am_image_integer(p, "max_side_limit", 1, AM_IMAGE_MAX_PIXELS, &out->longest));
    out->length = (double)length;
    out->type = am_json_text(am_image_setting(p, "limit_type")).bytes;
    for (const char *const *known = (const char *const[]){"max", "min", "resize_long", NULL}; *known; known++)
        if (strcmp(out->type, *known) == 0) return NULL;
    return am_error(AM_INVALID_FILE, "limit_type: expected max, min or resize_long, found \"%.40s\"", out->type);
}

static double limit_ratio(const side_limit *limit, double height, double width)
{
    double longest = fmax(height, width), shortest = fmin(height, width);
    if (strcmp(limit->type, "min") == 0) return shortest < limit->length ? limit->length / shortest : 1.0;
    if (strcmp(limit->type, "max") == 0) return longest > limit->length ? limit->length / longest : 1.0;
    return limit->length / longest;
}

/* At least 32, a multiple of it. */
static int64_t whole_cells(double side)
{
    double cells = nearbyint(side / 32.0);
    return cells < 1.0 ? 32 : (int64_t)(cells * 32.0);
}

static am_status detector_size(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    side_limit limit = {0};
    AM_TRY(read_limit(p, &limit));
    double ratio = limit_ratio(&limit, (double)in.height, (double)in.width);
    double height = trunc((double)in.height * ratio), width = trunc((double)in.width * ratio),
           longest = fmax(height, width);
    if (limit.longest && longest > (double)limit.longest) {
        ratio = (double)limit.longest / longest;
        height = trunc(height * ratio);
        width = trunc(width * ratio);
    }
    if (height > (double)AM_IMAGE_MAX_PIXELS || width > (double)AM_IMAGE_MAX_PIXELS)
        return am_error(AM_INVALID_ARGUMENT, "a picture of %" PRId64 "x%" PRId64 " would become one of %gx%g",
                        in.height, in.width, height, width);
    *out = (am_plane_size){whole_cells(height), whole_cells(width)};
    return NULL;
}

/* The sizes that pictures had; nothing where they keep them. */
static am_status give_target_sizes(am_image_run *run)
{
    float *sizes;
    am_shape shape = run->processor->do_resize ? am_shape_of(run->count, 2) : am_shape_of(0);
    AM_TRY(am_image_give_floats(run, "target_sizes", &shape, &sizes));
    for (int64_t i = 0; i < run->count && run->processor->do_resize; i++) {
        sizes[2 * i] = (float)run->pictures[i].height;
        sizes[2 * i + 1] = (float)run->pictures[i].width;
    }
    return NULL;
}

static am_status detect(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    AM_TRY(give_target_sizes(run));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        if (p->do_resize) AM_TRY(am_picture_to_floats(picture));
        AM_TRY(am_image_do_resize(p, picture));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        am_picture_flip_channels(picture);
    }
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* --- recognition --- */

/* The height of `size`, and as wide as the widest picture needs to keep its aspect ratio. */
static am_status line_size(const am_image_run *run, am_plane_size *out)
{
    const am_image_processor *p = run->processor;
    const am_picture *widest = run->pictures;
    int64_t max_width = 3200;
    AM_TRY(am_image_integer(p, "max_image_width", 1, AM_IMAGE_MAX_PIXELS, &max_width));
    if (!p->size.height || !p->size.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    for (int64_t i = 1; i < run->count; i++)
        if (run->pictures[i].width > widest->width) widest = &run->pictures[i];
    double height = (double)p->size.height, ratio = (double)widest->width / (double)widest->height,
           needed = ceil(height * ratio), width = trunc(height * fmax(ratio, (double)p->size.width / height));
    if (width > (double)max_width) width = (double)max_width;
    else if (width >= needed) width = needed;
    *out = (am_plane_size){p->size.height, (int64_t)width};
    return NULL;
}

static am_status recognize_steps(const am_image_processor *p, am_picture *picture, am_plane_size to, bool small_bytes)
{
    if (p->do_resize && !small_bytes) AM_TRY(am_picture_to_floats(picture));
    if (p->do_resize) AM_TRY(am_picture_resize(picture, p->backend, to, p->resample, !small_bytes));
    if (small_bytes) am_picture_flip_channels(picture);
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

/* `small_bytes`: as the small readers take them, bytes resized without antialias as OpenCV does, the channels turned.
 */
static am_status recognize_all(am_image_run *run, bool small_bytes)
{
    const am_image_processor *p = run->processor;
    am_plane_size to, pad = {p->pad_size.height, p->pad_size.width};
    AM_TRY(line_size(run, &to));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(recognize_steps(p, &run->pictures[i], to, small_bytes));
    if (p->do_pad && to.width < pad.width) AM_TRY(am_image_pad_all(run, pad, 0.0, NULL));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

static am_status recognize(am_image_run *run)
{
    return recognize_all(run, false);
}

static am_status recognize_small(am_image_run *run)
{
    return recognize_all(run, true);
}

/* --- tables --- */

/* Where an output lies between input `first` and the next, in parts of 2048. */
typedef struct place {
    int64_t first;
    int32_t weight; /* of the next */
} place;

/* In single precision; OpenCV's INTER_LINEAR of bytes. */
static void find_places(int64_t in, int64_t out, place *places)
{
    float scale = (float)((double)in / (double)out);
    for (int64_t i = 0; i < out; i++) {
        float at = ((float)i + 0.5f) * scale - 0.5f, fraction = at - floorf(at);
        int64_t first = (int64_t)floorf(at);
        if (first < 0) {
            first = 0;
            fraction = 0.0f;
        }
        if (first >= in - 1) {
            first = in - 2;
            fraction = 1.0f;
        }
        places[i] = (place){first, (int32_t)floorf(fraction * 2048.0f + 0.5f)};
    }
}

static uint8_t between(const uint8_t *row, int64_t width, place x, place y)
{
    const uint8_t *top = row + y.first * width + x.first, *bottom = top + width;
    int32_t right = x.weight, left = 2048 - right;
    int32_t sum =
        (2048 - y.weight) * (left * top[0] + right * top[1]) + y.weight * (left * bottom[0] + right * bottom[1]);
    return (uint8_t)((sum + (1 << 21)) >> 22);
}

static am_status resize_linear(am_picture *picture, am_plane_size to)
{
    am_picture out;
    if (picture->height < 2 || picture->width < 2)
        return am_error(AM_INVALID_ARGUMENT, "a picture of %" PRId64 "x%" PRId64 "; expected 2 rows and columns",
                        picture->height, picture->width);
    AM_TRY(am_picture_create(picture->channels, to.height, to.width, false, &out));
    place *columns = am_alloc_zeroed((size_t)(to.width + to.height), sizeof *columns), *rows = columns + to.width;
    if (!columns) {
        am_picture_deinit(&out);
        return am_out_of_memory();
    }
    find_places(picture->width, to.width, columns);
    find_places(picture->height, to.height, rows);
    uint8_t *pixel = out.bytes;
    for (int64_t c = 0; c < out.channels; c++)
        for (int64_t y = 0; y < to.height; y++)
            for (int64_t x = 0; x < to.width; x++)
                *pixel++ =
                    between(picture->bytes + c * picture->height * picture->width, picture->width, columns[x], rows[y]);
    am_free(columns);
    am_picture_deinit(picture);
    *picture = out;
    return NULL;
}

/* The longer side becomes the longer of `size`. */
static am_status fit_table(const am_image_processor *p, am_picture *picture)
{
    double scale = (double)(p->size.height > p->size.width ? p->size.height : p->size.width) /
                   (double)(picture->height > picture->width ? picture->height : picture->width);
    if (!p->size.height || !p->size.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    am_plane_size to = {(int64_t)nearbyint((double)picture->height * scale),
                        (int64_t)nearbyint((double)picture->width * scale)};
    return resize_linear(picture, to);
}

static am_status read_table(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        if (p->do_resize) AM_TRY(fit_table(p, &run->pictures[i]));
        AM_TRY(am_image_do_center_crop(p, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    }
    return am_image_give_padded(run, NULL);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "PPOCRV5ServerDetImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 960, "width": 960}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.406, 0.456, 0.485], "image_std": [0.225, 0.224, 0.229],
         "limit_side_len": 960, "limit_type": "max", "max_side_limit": 4000
     }), .new_size = detector_size, .preprocess = detect},
    {.name = "PPOCRV5ServerRecImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 48, "width": 320}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "pad_size": {"height": 48, "width": 320}, "character_list": [], "max_image_width": 3200
     }), .preprocess = recognize},
    {.name = "PPOCRV6SmallRecImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 48, "width": 320}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "pad_size": {"height": 48, "width": 320}, "character_list": [], "max_image_width": 3200
     }), .preprocess = recognize_small},
    {.name = "SLANeXtImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 512, "width": 512}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "pad_size": {"height": 512, "width": 512}
     }), .preprocess = read_table},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_ocr = {classes};

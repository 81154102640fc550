/* ViTPose: every box around a person is stretched to a picture of its own. */
#include "media/images/processor.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct pose_settings {
    bool do_affine_transform;
    double normalize_factor;
} pose_settings;

/* Where output pixel i of an axis lies in the picture: at first + i * step. */
typedef struct line {
    double first, step;
} line;

/* box_to_center_and_scale and get_warp_matrix without rotation, whose arrays are of single precision. */
static line line_of(double begin, double length, double box, int64_t out, double normalize_factor)
{
    float center = (float)(begin + length * 0.5), target = (float)(box / normalize_factor) * 1.25f * 200.0f;
    double scale = (double)(out - 1) / (double)target;
    float offset = (float)(scale * (double)(-0.5f * (center * 2.0f) + 0.5f * target));
    double step = 1.0 / (double)(float)scale;
    return (line){-(step * (double)offset), step};
}

/* SciPy's affine_transform of first order: black outside; bytes are rounded. */
static double sample(const am_picture *in, int64_t channel, double y, double x)
{
    double sum = 0.0, down = y - floor(y), across = x - floor(x);
    if (!(y >= 0.0 && x >= 0.0 && y <= (double)(in->height - 1) && x <= (double)(in->width - 1))) return 0.0;
    const uint8_t *plane = in->bytes + channel * in->height * in->width;
    int64_t top = (int64_t)y, left = (int64_t)x;
    for (int k = 0; k < 4; k++) {
        double weight = (k / 2 ? down : 1.0 - down) * (k % 2 ? across : 1.0 - across);
        int64_t row = top + k / 2 < in->height ? top + k / 2 : top;
        int64_t column = left + k % 2 < in->width ? left + k % 2 : left;
        sum += weight * (double)plane[row * in->width + column];
    }
    return sum;
}

static void warp(const am_picture *in, line down, line across, am_picture *out)
{
    uint8_t *pixel = out->bytes;
    for (int64_t c = 0; c < out->channels; c++)
        for (int64_t y = 0; y < out->height; y++)
            for (int64_t x = 0; x < out->width; x++)
                *pixel++ = (uint8_t)(sample(in, c, down.first + (double)y * down.step,
                                            across.first + (double)x * across.step) +
                                     0.5);
}

/* [x, y, width, height] in pixels. */
static am_status read_box(am_json value, double box[4])
{
    int count = 0;
    bool good = am_json_count(value) == 4;
    for (am_json_iterator i = am_json_iterate(value); good && am_json_next(&i); count++) {
        box[count] = am_json_real(i.value, NAN);
        good = isfinite(box[count]);
    }
    if (good && box[2] >= 0.0 && box[3] >= 0.0 && box[2] + box[3] > 0.0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "boxes: expected [x, y, width, height] in pixels");
}

static am_status cut_box(const am_image_processor *p, double normalize_factor, const am_picture *in, am_json value,
                         am_picture *out)
{
    double box[4], aspect = (double)p->size.width / (double)p->size.height;
    AM_TRY(read_box(value, box));
    double width = box[2], height = box[3];
    if (width > aspect * height) height = width / aspect;
    else if (width < aspect * height) width = height * aspect;
    AM_TRY(am_picture_create(in->channels, p->size.height, p->size.width, false, out));
    warp(in, line_of(box[1], box[3], height, p->size.height, normalize_factor),
         line_of(box[0], box[2], width, p->size.width, normalize_factor), out);
    return am_image_rescale_and_normalize(p, out);
}

enum { BOX_LIMIT = 1 << 16 };

typedef struct people {
    am_picture *pictures; /* [count], owned */
    int64_t count;
} people;

static am_status cut_boxes(const am_image_run *run, const pose_settings *s, am_json boxes, people *out)
{
    int64_t number = 0, at = 0, total = 0;
    for (am_json_iterator i = am_json_iterate(boxes); am_json_next(&i);) total += (int64_t)am_json_count(i.value);
    int64_t pixels = run->processor->size.height * run->processor->size.width;
    if (total < 1 || total > BOX_LIMIT || pixels > AM_IMAGE_MAX_PIXELS / total)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " boxes of %" PRId64 " pixels; expected 1 to %d and %" PRId64,
                        total, pixels, BOX_LIMIT, AM_IMAGE_MAX_PIXELS);
    out->pictures = am_alloc_zeroed((size_t)total, sizeof *out->pictures);
    if (!out->pictures) return am_out_of_memory();
    out->count = total;
    for (am_json_iterator i = am_json_iterate(boxes); am_json_next(&i) && number < run->count; number++)
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); at++)
            AM_TRY(cut_box(run->processor, s->normalize_factor, &run->pictures[number], k.value, &out->pictures[at]));
    out->count = at;
    return at ? NULL : am_error(AM_INVALID_ARGUMENT, "boxes: none for the images");
}

static am_status give_people(am_image_run *run, const pose_settings *s)
{
    people found = {0};
    am_json boxes = am_json_get(run->inputs->arguments, "boxes");
    if (run->processor->size.height < 2 || run->processor->size.width < 2)
        return am_error(AM_INVALID_FILE, "size: expected height and width of 2 or more");
    for (int64_t i = 0; i < run->count; i++)
        if (run->processor->backend == AM_IMAGE_PIL && run->pictures[i].height <= run->pictures[i].channels)
            return am_error(AM_INVALID_ARGUMENT,
                            "a picture of %" PRId64 " rows, which the Pil class takes for channels",
                            run->pictures[i].height);
    am_status status = cut_boxes(run, s, boxes, &found);
    if (!status) status = am_image_give(run, "pixel_values", found.pictures, found.count);
    for (int64_t i = 0; i < found.count; i++) am_picture_deinit(&found.pictures[i]);
    am_free(found.pictures);
    return status;
}

static am_status preprocess(am_image_run *run)
{
    pose_settings s = {.do_affine_transform = true, .normalize_factor = 200.0};
    AM_TRY(am_image_flag(run->processor, "do_affine_transform", &s.do_affine_transform));
    AM_TRY(am_image_number(run->processor, "normalize_factor", &s.normalize_factor));
    if (s.do_affine_transform) return give_people(run, &s);
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_rescale_and_normalize(run->processor, &run->pictures[i]));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "VitPoseImageProcessor",
     .defaults = AM_JSON({
         "size": {"height": 256, "width": 192}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_affine_transform": true,
         "normalize_factor": 200.0
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_vitpose = {classes};

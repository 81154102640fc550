/* Models of timm: the transforms that timm makes of `pretrained_cfg` (or `data_config`, which it resolves to), by PIL.
 */
#include "media/images/processor.h"
#include "media/preprocessor_config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef enum crop_mode { CROP_CENTER, CROP_SQUASH, CROP_BORDER } crop_mode;

typedef struct transforms {
    am_plane_size crop, scaled; /* in the end, and before the crop */
    crop_mode mode;
    am_resample resample;
    double mean[3], std[3];
} transforms;

static am_status read_mode(am_json config, transforms *out)
{
    out->mode = CROP_CENTER; /* timm takes what it does not know for this */
    if (am_json_equals(am_json_get(config, "crop_mode"), "squash")) out->mode = CROP_SQUASH;
    if (am_json_equals(am_json_get(config, "crop_mode"), "border")) out->mode = CROP_BORDER;
    am_json_string name = am_json_text(am_json_get(config, "interpolation"));
    out->resample = AM_RESAMPLE_BICUBIC;
    if (!name.length) return NULL;
    for (int i = 0; i < AM_RESAMPLE_COUNT; i++) {
        out->resample = (am_resample)i;
        if (strcmp(name.bytes, am_resample_name(out->resample)) == 0) return NULL;
    }
    return am_error(AM_INVALID_FILE, "interpolation: \"%.40s\" is none of PIL's filters", name.bytes);
}

/* [channels, height, width], or img_size for both sides. */
static am_status read_crop(am_json config, am_plane_size *out)
{
    int64_t sides[3] = {3, 224, 224};
    int count = 0;
    am_json input = am_json_get(config, "input_size");
    if (am_preprocessor_config_given(input)) {
        if (am_json_kind_of(input) != AM_JSON_ARRAY || am_json_count(input) != 3)
            return am_error(AM_INVALID_FILE, "input_size: expected channels, height and width");
        for (am_json_iterator i = am_json_iterate(input); am_json_next(&i); count++)
            AM_TRY(am_preprocessor_config_integer(i.value, "input_size", 1, 1 << 20, &sides[count]));
    } else {
        AM_TRY(am_preprocessor_config_integer(am_json_get(config, "img_size"), "img_size", 1, 1 << 20, &sides[1]));
        sides[2] = sides[1];
    }
    *out = (am_plane_size){sides[1], sides[2]};
    return NULL;
}

static am_status read_scaled(am_json config, transforms *out)
{
    double crop_pct = am_json_real(am_json_get(config, "crop_pct"), 0.0);
    if (crop_pct == 0.0) crop_pct = 0.875;
    double height = floor((double)out->crop.height / crop_pct), width = floor((double)out->crop.width / crop_pct);
    if (!(crop_pct > 0.0 && height * width >= 1.0 && height * width <= (double)AM_IMAGE_MAX_PIXELS))
        return am_error(AM_INVALID_FILE, "crop_pct: %g makes %gx%g of input_size", crop_pct, height, width);
    out->scaled = (am_plane_size){(int64_t)height, (int64_t)width};
    return NULL;
}

/* One number for all channels, or one for each. */
static am_status read_channels(am_json config, const char *key, double out[3])
{
    am_json value = am_json_get(config, key);
    size_t count = am_json_count(value), at = 0;
    if (!am_preprocessor_config_given(value)) return NULL;
    bool good = am_json_kind_of(value) == AM_JSON_ARRAY && (count == 1 || count == 3);
    for (am_json_iterator i = am_json_iterate(value); good && am_json_next(&i); at++) {
        out[at] = am_json_real(i.value, NAN);
        good = isfinite(out[at]);
    }
    if (!good) return am_error(AM_INVALID_FILE, "%s: expected a list of 1 or 3 numbers", key);
    if (count == 1) out[1] = out[2] = out[0];
    return NULL;
}

static am_status read_transforms(const am_image_processor *p, transforms *out)
{
    am_json config = am_image_setting(p, "pretrained_cfg");
    if (am_json_kind_of(config) != AM_JSON_OBJECT) config = am_image_setting(p, "data_config");
    if (am_json_kind_of(config) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "pretrained_cfg: expected an object, found %s",
                        am_json_kind_name(am_json_kind_of(config)));
    *out = (transforms){.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
    AM_TRY(read_mode(config, out));
    AM_TRY(read_crop(config, &out->crop));
    AM_TRY(read_scaled(config, out));
    AM_TRY(read_channels(config, "mean", out->mean));
    AM_TRY(read_channels(config, "std", out->std));
    for (int c = 0; c < 3; c++)
        if ((float)out->std[c] == 0.0f) return am_error(AM_INVALID_FILE, "std: expected no 0 in it");
    return NULL;
}

/* ResizeKeepRatio: inside the size, or around it. */
static am_plane_size keep_ratio(am_plane_size in, am_plane_size size, bool inside)
{
    double tall = (double)in.height / (double)size.height, wide = (double)in.width / (double)size.width,
           ratio = inside ? fmax(tall, wide) : fmin(tall, wide);
    return (am_plane_size){(int64_t)nearbyint((double)in.height / ratio), (int64_t)nearbyint((double)in.width / ratio)};
}

static am_status resize(const transforms *t, am_picture *picture)
{
    am_plane_size in = {picture->height, picture->width}, to = t->scaled;
    if (t->mode == CROP_BORDER) to = keep_ratio(in, t->scaled, true);
    else if (t->mode == CROP_CENTER && to.height == to.width) to = am_image_fit_shortest(in, to.height);
    else if (t->mode == CROP_CENTER) to = keep_ratio(in, t->scaled, false);
    return am_picture_resize(picture, AM_IMAGE_PIL, to, t->resample, true);
}

/* The middle, rounded to even; what is missing gets the colour `fill`. */
static am_status crop(am_picture *picture, am_plane_size to, const double *fill)
{
    int64_t tall = to.height > picture->height ? to.height - picture->height : 0,
            wide = to.width > picture->width ? to.width - picture->width : 0;
    am_margins margins = {.left = wide / 2, .top = tall / 2, .right = (wide + 1) / 2, .bottom = (tall + 1) / 2};
    if (tall || wide) AM_TRY(am_picture_pad_colored(picture, margins, fill));
    return am_picture_crop(picture, (int64_t)nearbyint((double)(picture->height - to.height) / 2.0),
                           (int64_t)nearbyint((double)(picture->width - to.width) / 2.0), to);
}

static am_status transform(const transforms *t, am_picture *picture)
{
    double fill[3] = {0.0};
    for (int c = 0; c < 3 && t->mode == CROP_BORDER; c++)
        fill[c] = fmin(fmax(nearbyint(255.0 * t->mean[c]), 0.0), 255.0);
    AM_TRY(resize(t, picture));
    AM_TRY(crop(picture, t->crop, fill));
    AM_TRY(am_picture_to_floats(picture));
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 0; i < count; i++) picture->floats[i] /= 255.0f;
    return am_picture_normalize(picture, t->mean, t->std);
}

static am_status standardize(am_image_processor *p)
{
    transforms t;
    return read_transforms(p, &t);
}

static am_status preprocess(am_image_run *run)
{
    transforms t;
    AM_TRY(read_transforms(run->processor, &t));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(transform(&t, &run->pictures[i]));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

static const am_image_class classes[] = {
    {.name = "TimmWrapperImageProcessor",
     .defaults = AM_JSON({}),
     .preprocess = preprocess,
     .standardize = standardize},
    {0},
};

const am_image_family am_image_family_timm = {classes};

/* DeepSeek-VL and Janus: the longer side fitted, the shorter padded with the mean colour; the hybrid form does that
   twice, and makes the small picture of the large one. */
#include "media/images/tiles.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* One resolution. */
typedef struct fitting {
    am_image_size size;
    am_resample resample;
    double mean[3], std[3];
    int64_t min_size;
} fitting;

static am_status fit(const am_image_processor *p, const fitting *f, am_picture *picture)
{
    if (!f->size.height || f->size.height != f->size.width)
        return am_error(AM_INVALID_FILE, "size: expected height and width that are the same");
    double longer = (double)(picture->height > picture->width ? picture->height : picture->width),
           scale = (double)f->size.height / longer, least = (double)f->min_size;
    am_plane_size to = {(int64_t)fmax(nearbyint((double)picture->height * scale), least),
                        (int64_t)fmax(nearbyint((double)picture->width * scale), least)};
    return am_picture_resize(picture, p->backend, to, f->resample, true);
}

static am_status fit_and_pad(const am_image_processor *p, const fitting *f, am_picture *picture)
{
    double fill[3];
    for (int c = 0; c < 3; c++) fill[c] = (double)(int64_t)(f->mean[c] * 255.0);
    if (p->do_resize) AM_TRY(fit(p, f, picture));
    return p->do_pad ? am_picture_pad_square(picture, fill) : NULL;
}

static am_status read_fitting(const am_image_processor *p, fitting *out)
{
    *out = (fitting){.size = p->size, .resample = p->resample, .min_size = 14};
    for (int c = 0; c < 3; c++) {
        out->mean[c] = p->image_mean[c];
        out->std[c] = p->image_std[c];
    }
    return am_image_integer(p, "min_size", 1, AM_IMAGE_MAX_PIXELS, &out->min_size);
}

static am_status read_high(const am_image_processor *p, fitting *out)
{
    int64_t resample = AM_RESAMPLE_BICUBIC;
    AM_TRY(read_fitting(p, out));
    AM_TRY(am_image_read_size(p, "high_res_size", p->default_to_square, &out->size));
    AM_TRY(am_image_integer(p, "high_res_resample", 0, AM_RESAMPLE_COUNT - 1, &resample));
    out->resample = (am_resample)resample;
    AM_TRY(am_image_channels(p, "high_res_image_mean", out->mean));
    AM_TRY(am_image_channels(p, "high_res_image_std", out->std));
    for (int c = 0; c < 3; c++)
        if ((float)out->std[c] == 0.0f) return am_error(AM_INVALID_FILE, "high_res_image_std: expected no 0 in it");
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    fitting f;
    AM_TRY(read_fitting(run->processor, &f));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(fit_and_pad(run->processor, &f, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(run->processor, &run->pictures[i]));
    }
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* The processor with the statistics of the large pictures. */
static am_image_processor with_statistics(const am_image_processor *p, const fitting *f)
{
    am_image_processor out = *p;
    for (int c = 0; c < 3; c++) {
        out.image_mean[c] = f->mean[c];
        out.image_std[c] = f->std[c];
    }
    return out;
}

static am_status check_hybrid(const am_image_processor *p)
{
    if (p->do_resize && p->do_pad) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "do_resize and do_pad: both are needed to make the small picture");
}

static am_status process_hybrid(am_image_run *run, int64_t image, am_tiles *high)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    fitting small, large;
    AM_TRY(read_fitting(p, &small));
    AM_TRY(read_high(p, &large));
    am_image_processor high_processor = with_statistics(p, &large);
    AM_TRY(fit_and_pad(p, &large, picture));
    AM_TRY(am_tiles_add_part(high, picture, 0, 0, (am_plane_size){picture->height, picture->width}));
    AM_TRY(am_image_rescale_and_normalize(&high_processor, &high->items[image]));
    AM_TRY(fit_and_pad(p, &small, picture));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status preprocess_hybrid(am_image_run *run)
{
    am_tiles high = {0};
    am_status status = check_hybrid(run->processor);
    for (int64_t i = 0; i < run->count && !status; i++) status = process_hybrid(run, i, &high);
    if (!status) status = am_image_give(run, "pixel_values", run->pictures, run->count);
    if (!status) status = am_image_give(run, "high_res_pixel_values", high.items, high.count);
    am_tiles_deinit(&high);
    return status;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "DeepseekVLImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true, "min_size": 14
     }), .preprocess = preprocess},
    {.name = "DeepseekVLHybridImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true,
         "high_res_image_mean": [0.48145466, 0.4578275, 0.40821073],
         "high_res_image_std": [0.26862954, 0.26130258, 0.27577711], "high_res_resample": 3,
         "high_res_size": {"height": 1024, "width": 1024}, "min_size": 14
     }), .preprocess = preprocess_hybrid},
    {.name = "JanusImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true, "min_size": 14
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_deepseek_vl = {classes};

/* FLAVA: the picture a second time, smaller and in a range of its own, for the codebook of DALL-E. */
#include "media/images/processor.h"

#include "base/memory.h"

#include <stddef.h>

/* The processor with the settings of the codebook in place of its own. */
static am_status codebook_of(const am_image_processor *p, am_image_processor *out)
{
    const struct {
        const char *key;
        bool *to;
    } flags[] = {{"codebook_do_resize", &out->do_resize},
                 {"codebook_do_center_crop", &out->do_center_crop},
                 {"codebook_do_rescale", &out->do_rescale},
                 {"codebook_do_normalize", &out->do_normalize}};
    int64_t resample = AM_RESAMPLE_LANCZOS;
    *out = *p;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) AM_TRY(am_image_flag(p, flags[i].key, flags[i].to));
    AM_TRY(am_image_read_size(p, "codebook_size", p->default_to_square, &out->size));
    AM_TRY(am_image_read_size(p, "codebook_crop_size", true, &out->crop_size));
    AM_TRY(am_image_integer(p, "codebook_resample", 0, AM_RESAMPLE_COUNT - 1, &resample));
    out->resample = (am_resample)resample;
    AM_TRY(am_image_number(p, "codebook_rescale_factor", &out->rescale_factor));
    AM_TRY(am_image_channels(p, "codebook_image_mean", out->image_mean));
    AM_TRY(am_image_channels(p, "codebook_image_std", out->image_std));
    return am_note(am_image_check(out), "codebook");
}

static am_status steps(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

/* map_pixels: away from 0 and 1, where the logit of the Laplace distribution has no bounds. */
static am_status map_pixels(am_picture *picture)
{
    AM_TRY(am_picture_to_floats(picture));
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 0; i < count; i++) picture->floats[i] = 0.8f * picture->floats[i] + 0.1f;
    return NULL;
}

static am_status give_codebook(am_image_run *run, const am_image_processor *codebook, am_picture *pictures)
{
    bool map = true;
    AM_TRY(am_image_flag(run->processor, "codebook_do_map_pixels", &map));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_picture_copy(&run->pictures[i], &pictures[i]));
        AM_TRY(steps(codebook, &pictures[i]));
        if (map) AM_TRY(map_pixels(&pictures[i]));
    }
    return am_image_give(run, "codebook_pixel_values", pictures, run->count);
}

static am_status add_codebook(am_image_run *run)
{
    am_image_processor codebook;
    AM_TRY(codebook_of(run->processor, &codebook));
    am_picture *pictures = am_alloc_zeroed((size_t)run->count, sizeof *pictures);
    am_status status = pictures ? give_codebook(run, &codebook, pictures) : am_out_of_memory();
    for (int64_t i = 0; i < run->count && pictures; i++) am_picture_deinit(&pictures[i]);
    am_free(pictures);
    return status;
}

static am_status preprocess(am_image_run *run)
{
    bool with_codebook = false, with_mask = false;
    AM_TRY(am_image_flag(run->processor, "return_codebook_pixels", &with_codebook));
    AM_TRY(am_image_flag(run->processor, "return_image_mask", &with_mask));
    if (with_mask) return am_error(AM_UNSUPPORTED, "return_image_mask: masks at random are for training");
    if (with_codebook) AM_TRY(add_codebook(run));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(steps(run->processor, &run->pictures[i]));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "FlavaImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3, "do_center_crop": true,
         "crop_size": {"height": 224, "width": 224}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "return_image_mask": false, "return_codebook_pixels": false, "codebook_do_resize": true,
         "codebook_size": {"height": 112, "width": 112}, "codebook_resample": 1, "codebook_do_center_crop": true,
         "codebook_crop_size": {"height": 112, "width": 112}, "codebook_do_rescale": true,
         "codebook_rescale_factor": 0.00392156862745098, "codebook_do_map_pixels": true,
         "codebook_do_normalize": true, "codebook_image_mean": [0.0, 0.0, 0.0],
         "codebook_image_std": [1.0, 1.0, 1.0]
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_flava = {classes};

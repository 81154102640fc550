/* LLaVA and Video-LLaVA: the common way, after padding to a square of the mean colour where do_pad says so. */
#include "media/images/tiles.h"

#include <stddef.h>

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    double fill[3];
    for (int c = 0; c < 3; c++) fill[c] = (double)(int64_t)(p->image_mean[c] * 255.0);
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        if (p->do_pad) AM_TRY(am_picture_pad_square(picture, fill));
        AM_TRY(am_image_do_resize(p, picture));
        AM_TRY(am_image_do_center_crop(p, picture));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
    }
    const char *name = p->kind->details;
    return am_image_give(run, name ? name : "pixel_values", run->pictures, run->count);
}

/* Video-LLaVA has no other form than that of numpy and PIL. */
static am_status standardize_video(am_image_processor *p)
{
    p->backend = AM_IMAGE_PIL;
    p->do_pad = false;
    if (p->size.shortest_edge) p->size = (am_image_size){.shortest_edge = p->size.shortest_edge};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "LlavaImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": false
     }), .preprocess = preprocess},
    {.name = "VideoLlavaImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     }), .preprocess = preprocess, .standardize = standardize_video, .details = "pixel_values_images"},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_llava = {classes};

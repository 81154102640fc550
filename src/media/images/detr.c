/* DETR and its kin: the aspect ratio stays, the batch is padded to its largest picture, pixel_mask says where. */
#include "media/images/processor.h"

#include <stddef.h>

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to, in = {picture->height, picture->width};
        if (p->do_resize) {
            AM_TRY(am_image_fit(&p->size, in, &to));
            AM_TRY(am_image_resize(p, picture, to));
        }
        AM_TRY(am_image_rescale_and_normalize(p, picture));
    }
    am_plane_size to = {p->pad_size.height, p->pad_size.width};
    if (p->do_pad) AM_TRY(am_image_pad_all(run, to, 0.0, "pixel_mask"));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "ConditionalDetrImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess},
    {.name = "DeformableDetrImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess},
    {.name = "DetrImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess},
    {.name = "GroundingDinoImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_detr = {classes};

/* DETR and its kin: the aspect ratio stays, the batch is padded to its largest picture, pixel_mask says where. */
#include "media/images/processor.h"

#include <inttypes.h>
#include <stddef.h>

/* YOLOS: sides are cut to multiples of 16. */
static am_status new_size_yolos(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    AM_TRY(am_image_fit(&p->size, in, out));
    if (!p->size.shortest_edge) return NULL;
    *out = (am_plane_size){out->height / 16 * 16, out->width / 16 * 16};
    if (out->height && out->width) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a picture of %" PRId64 "x%" PRId64 " (height, width) would have no pixels",
                    in.height, in.width);
}

static am_status preprocess(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_image_do_resize(run->processor, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(run->processor, &run->pictures[i]));
    }
    return am_image_give_padded(run, "pixel_mask");
}

/* RF-DETR resizes numbers between 0 and 1, without antialias. */
static am_status preprocess_rf_detr(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to, in = {picture->height, picture->width};
        if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
        if (p->do_resize) {
            AM_TRY(am_image_fit(&p->size, in, &to));
            AM_TRY(am_picture_resize(picture, p->backend, to, p->resample, false));
        }
        if (p->do_normalize) AM_TRY(am_picture_normalize(picture, p->image_mean, p->image_std));
    }
    return am_image_give_padded(run, "pixel_mask");
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
    {.name = "RTDetrImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 640, "width": 640}, "default_to_square": false, "resample": 2,
         "do_rescale": true, "do_normalize": false, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": false, "do_convert_annotations": true,
         "format": "coco_detection"
     }), .preprocess = preprocess},
    {.name = "RfDetrImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess_rf_detr},
    {.name = "YolosImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "format": "coco_detection"
     }), .preprocess = preprocess, .new_size = new_size_yolos},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_detr = {classes};

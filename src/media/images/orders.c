/* Classes that take the common steps in an order of their own, or leave some out. */
#include "media/images/processor.h"

#include <stddef.h>

static am_status each(am_image_run *run, am_status (*steps)(const am_image_processor *, am_picture *))
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(steps(run->processor, &run->pictures[i]));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

static am_status resize(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to, in = {picture->height, picture->width};
    AM_TRY(am_image_fit(&p->size, in, &to));
    return am_image_resize(p, picture, to);
}

static am_status center_crop(const am_image_processor *p, am_picture *picture)
{
    return am_picture_center_crop(picture, p->backend, (am_plane_size){p->crop_size.height, p->crop_size.width});
}

/* DINOv3: numbers between 0 and 1 are resized. */
static am_status dinov3_steps(const am_image_processor *p, am_picture *picture)
{
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (p->do_resize) AM_TRY(resize(p, picture));
    if (p->do_center_crop) AM_TRY(center_crop(p, picture));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
}

static am_status dinov3(am_image_run *run)
{
    return each(run, dinov3_steps);
}

/* DepthPro: normalized numbers are resized, without antialias. */
static am_status depth_pro_steps(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to, in = {picture->height, picture->width};
    AM_TRY(am_image_rescale_and_normalize(p, picture));
    if (!p->do_resize) return NULL;
    AM_TRY(am_image_fit(&p->size, in, &to));
    return am_picture_resize(picture, AM_IMAGE_TORCHVISION, to, p->resample, false);
}

static am_status depth_pro(am_image_run *run)
{
    return each(run, depth_pro_steps);
}

static void subtract_one(am_picture *picture)
{
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 0; i < count; i++) picture->floats[i] -= 1.0f;
}

/* EfficientNet: rescale_offset takes 1 off after rescaling, include_top divides by the deviation once more. */
static am_status efficientnet_steps(const am_image_processor *p, am_picture *picture)
{
    static const double zeros[3] = {0};
    bool rescale_offset = false, include_top = false;
    AM_TRY(am_image_flag(p, "rescale_offset", &rescale_offset));
    AM_TRY(am_image_flag(p, "include_top", &include_top));
    if (p->do_resize) AM_TRY(resize(p, picture));
    if (p->do_center_crop) AM_TRY(center_crop(p, picture));
    if (p->do_rescale && rescale_offset) {
        AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
        subtract_one(picture);
        if (p->do_normalize) AM_TRY(am_picture_normalize(picture, p->image_mean, p->image_std));
    } else AM_TRY(am_image_rescale_and_normalize(p, picture));
    return include_top ? am_picture_normalize(picture, zeros, p->image_std) : NULL;
}

static am_status efficientnet(am_image_run *run)
{
    return each(run, efficientnet_steps);
}

/* MobileViT takes BGR, not normalized. transformers' Pil class crops after rescaling, which gives the same. */
static am_status mobilevit_steps(const am_image_processor *p, am_picture *picture)
{
    if (p->do_resize) AM_TRY(resize(p, picture));
    if (p->do_center_crop) AM_TRY(center_crop(p, picture));
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (p->do_flip_channel_order) am_picture_flip_channels(picture);
    return NULL;
}

static am_status mobilevit(am_image_run *run)
{
    return each(run, mobilevit_steps);
}

/* Perceiver crops first: the part of the shorter side that size / crop_size is. */
static am_status perceiver_steps(const am_image_processor *p, am_picture *picture)
{
    double least = (double)(picture->height < picture->width ? picture->height : picture->width);
    if (p->do_center_crop) {
        if (!p->size.height || !p->size.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
        am_plane_size to = {(int64_t)((double)p->size.height / (double)p->crop_size.height * least),
                            (int64_t)((double)p->size.width / (double)p->crop_size.width * least)};
        AM_TRY(am_picture_center_crop(picture, p->backend, to));
    }
    if (p->do_resize) AM_TRY(resize(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status perceiver(am_image_run *run)
{
    return each(run, perceiver_steps);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "DINOv3ViTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     }), .preprocess = dinov3},
    {.name = "DepthProImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 1536, "width": 1536}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     }), .preprocess = depth_pro},
    {.name = "EfficientNetImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 346, "width": 346}, "resample": 3, "do_center_crop": false,
         "crop_size": {"height": 289, "width": 289}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "include_top": true, "rescale_offset": false
     }), .preprocess = efficientnet},
    {.name = "MobileViTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false, "resample": 3,
         "do_center_crop": true, "crop_size": {"height": 256, "width": 256}, "do_rescale": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_flip_channel_order": true,
         "do_reduce_labels": false
     }), .preprocess = mobilevit},
    {.name = "PerceiverImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3, "do_center_crop": true,
         "crop_size": {"height": 256, "width": 256}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     }), .preprocess = perceiver},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_orders = {classes};

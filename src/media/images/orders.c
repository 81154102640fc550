/* Classes that take the common steps in an order of their own, or leave some out. */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* DINOv3: numbers between 0 and 1 are resized. */
static am_status dinov3_steps(const am_image_processor *p, am_picture *picture)
{
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
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
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    if (p->do_rescale && rescale_offset) {
        AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
        subtract_one(picture);
        if (p->do_normalize) AM_TRY(am_picture_normalize(picture, p->image_mean, p->image_std));
    } else AM_TRY(am_image_rescale_and_normalize(p, picture));
    return include_top ? am_picture_normalize(picture, zeros, p->image_std) : NULL;
}

/* MobileViT takes BGR, not normalized. transformers' Pil class crops after rescaling, which gives the same. */
static am_status mobilevit_steps(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (p->do_flip_channel_order) am_picture_flip_channels(picture);
    return NULL;
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
    AM_TRY(am_image_do_resize(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

/* LayoutLMv2 takes bytes, as BGR. Words come from the caller: there is no OCR here. */
static am_status refuse_ocr(const am_image_processor *p)
{
    bool apply_ocr = false;
    AM_TRY(am_image_flag(p, "apply_ocr", &apply_ocr));
    if (!apply_ocr) return NULL;
    return am_error(AM_UNSUPPORTED, "apply_ocr: there is no OCR here; give the words and set it false");
}

static am_status layoutlmv2(am_image_run *run)
{
    AM_TRY(refuse_ocr(run->processor));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_image_do_resize(run->processor, &run->pictures[i]));
        am_picture_flip_channels(&run->pictures[i]);
    }
    return am_image_give_bytes(run, "pixel_values", run->pictures, run->count);
}

static am_status layoutlmv3_steps(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(refuse_ocr(p));
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

/* PP-DocLayout V2 and V3 resize bytes without antialias. */
static am_status plain_resize_steps(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to, in = {picture->height, picture->width};
    if (p->do_resize) {
        AM_TRY(am_image_fit(&p->size, in, &to));
        AM_TRY(am_picture_resize(picture, p->backend, to, p->resample, false));
    }
    AM_TRY(am_image_do_center_crop(p, picture));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status pp_doclayout(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(plain_resize_steps(run->processor, &run->pictures[i]));
    return am_image_give_padded(run, NULL);
}

static void clamp(am_picture *picture, float most)
{
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 0; i < count; i++) picture->floats[i] = fminf(fmaxf(picture->floats[i], 0.0f), most);
}

/* PP-DocLayout V4 resizes rescaled numbers, which stay in their range. */
static am_status pp_doclayout_v4_steps(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to, in = {picture->height, picture->width};
    bool was_bytes = !picture->is_float;
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (p->do_resize) {
        AM_TRY(am_image_fit(&p->size, in, &to));
        AM_TRY(am_picture_resize(picture, p->backend, to, p->resample, false));
        AM_TRY(am_picture_to_floats(picture));
        clamp(picture, (float)((was_bytes ? 255.0 : 1.0) * (p->do_rescale ? p->rescale_factor : 1.0)));
    }
    AM_TRY(am_image_do_center_crop(p, picture));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
}

static am_status pp_doclayout_v4(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(pp_doclayout_v4_steps(run->processor, &run->pictures[i]));
    return am_image_give_padded(run, NULL);
}

/* PP-LCNet: the shorter edge becomes resize_short, both are rounded; BGR at last. */
static am_status pp_lcnet_size(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t shortest = 0, unit = 1;
    AM_TRY(am_image_integer(p, "resize_short", 1, AM_IMAGE_MAX_PIXELS, &shortest));
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    if (!shortest) return am_image_fit(&p->size, in, out);
    double scale = (double)shortest / (double)(in.height < in.width ? in.height : in.width);
    int64_t height = (int64_t)nearbyint((double)in.height * scale),
            width = (int64_t)nearbyint((double)in.width * scale);
    *out = (am_plane_size){(height + unit - 1) / unit * unit, (width + unit - 1) / unit * unit};
    return NULL;
}

static am_status pp_lcnet_steps(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(am_image_do_resize(p, picture));
    AM_TRY(am_image_do_center_crop(p, picture));
    AM_TRY(am_image_rescale_and_normalize(p, picture));
    am_picture_flip_channels(picture);
    return NULL;
}

/* UVDoc: BGR between 0 and 1, resized with its corners in place; the pictures themselves are given out too. */
static am_status uvdoc(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    am_tensor *originals;
    if (p->do_resize && (!p->size.height || !p->size.width))
        return am_error(AM_INVALID_FILE, "size: expected height and width");
    AM_TRY(am_media_tensors_add_list(run->out, "original_images", run->count, &originals));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        AM_TRY(am_picture_to_floats(picture));
        am_picture_flip_channels(picture);
        am_shape shape = am_shape_of(picture->channels, picture->height, picture->width);
        AM_TRY(am_media_tensor_alloc(&originals[i], AM_F32, &shape));
        memcpy(originals[i].data, picture->floats, (size_t)am_shape_count(&shape) * sizeof(float));
        am_plane_size to = {p->size.height, p->size.width};
        if (p->do_resize) AM_TRY(am_picture_resize_corners(picture, to, AM_RESAMPLE_BILINEAR));
    }
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* Swin2SR: up to the next multiple of size_divisor, always further, with the picture mirrored. */
static am_status swin2sr_steps(const am_image_processor *p, am_picture *picture)
{
    int64_t unit = 8;
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    AM_TRY(am_image_integer(p, "pad_size", 1, 1 << 20, &unit));
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (!p->do_pad) return NULL;
    am_margins margins = {.right = (picture->width / unit + 1) * unit - picture->width,
                          .bottom = (picture->height / unit + 1) * unit - picture->height};
    return am_picture_pad_mirrored(picture, margins);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "DINOv3ViTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     }), .steps = dinov3_steps},
    {.name = "DepthProImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 1536, "width": 1536}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     }), .steps = depth_pro_steps},
    {.name = "EfficientNetImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 346, "width": 346}, "resample": 3, "do_center_crop": false,
         "crop_size": {"height": 289, "width": 289}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "include_top": true, "rescale_offset": false
     }), .steps = efficientnet_steps},
    {.name = "MobileViTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false, "resample": 3,
         "do_center_crop": true, "crop_size": {"height": 256, "width": 256}, "do_rescale": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_flip_channel_order": true,
         "do_reduce_labels": false
     }), .steps = mobilevit_steps},
    {.name = "PerceiverImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3, "do_center_crop": true,
         "crop_size": {"height": 256, "width": 256}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     }), .steps = perceiver_steps},
    {.name = "LayoutLMv2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "apply_ocr": true,
         "tesseract_config": ""
     }), .preprocess = layoutlmv2},
    {.name = "LayoutLMv3ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "apply_ocr": true,
         "tesseract_config": ""
     }), .steps = layoutlmv3_steps},
    {.name = "PPDocLayoutV2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 800, "width": 800}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]
     }), .preprocess = pp_doclayout},
    {.name = "PPDocLayoutV3ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 800, "width": 800}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]
     }), .preprocess = pp_doclayout},
    {.name = "PPDocLayoutV4ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 800, "width": 800}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]
     }), .preprocess = pp_doclayout_v4},
    {.name = "PPLCNetImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 256, "width": 256}, "resample": 2, "do_center_crop": true,
         "crop_size": 224, "do_rescale": true, "do_normalize": true, "image_mean": [0.406, 0.456, 0.485],
         "image_std": [0.225, 0.224, 0.229], "resize_short": 256, "size_divisor": 1
     }), .new_size = pp_lcnet_size, .steps = pp_lcnet_steps},
    {.name = "Swin2SRImageProcessor",
     .defaults = AM_JSON({"do_rescale": true, "do_pad": true, "size_divisor": 8}), .steps = swin2sr_steps},
    {.name = "UVDocImageProcessor",
     .defaults = AM_JSON({"do_resize": true, "size": {"height": 712, "width": 488}, "resample": 2, "do_rescale": true}), .preprocess = uvdoc},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_orders = {classes};

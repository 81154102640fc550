/* Classes that do no more than the common way: resize, center crop, rescale, normalize, pad. */
#include "media/images/processor.h"

#include <stddef.h>

/* image_size of old is both sides of size. */
static am_status standardize_idefics(am_image_processor *p)
{
    AM_TRY(am_image_integer(p, "image_size", 1, AM_IMAGE_MAX_PIXELS, &p->size.height));
    if (am_json_kind_of(am_image_setting(p, "image_size")) == AM_JSON_INTEGER)
        p->size = (am_image_size){.height = p->size.height, .width = p->size.height};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "BeitImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3, "do_center_crop": false,
         "crop_size": {"height": 224, "width": 224}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_reduce_labels": false
     })},
    {.name = "BitImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "BlipImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "CLIPImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "ChameleonImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 512}, "default_to_square": false,
         "resample": 1, "do_center_crop": true, "crop_size": {"height": 512, "width": 512}, "do_rescale": true,
         "rescale_factor": 0.0078, "do_normalize": true, "image_mean": [1.0, 1.0, 1.0], "image_std": [1.0, 1.0, 1.0]
     })},
    {.name = "ChineseCLIPImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "DeiTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 256, "width": 256}, "resample": 3, "do_center_crop": true,
         "crop_size": {"height": 224, "width": 224}, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     })},
    {.name = "IdeficsImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "image_num_channels": 3
     }), .standardize = standardize_idefics},
    {.name = "MobileNetV1ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 256}, "default_to_square": false, "resample": 2,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     })},
    {.name = "MobileNetV2ImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 256}, "default_to_square": false, "resample": 2,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_reduce_labels": false
     })},
    {.name = "OwlViTImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 768, "width": 768}, "resample": 3,
         "do_center_crop": false, "crop_size": {"height": 768, "width": 768}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "PI0ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"max_height": 224, "max_width": 224},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true,
         "pad_size": {"height": 224, "width": 224}, "image_seq_length": 256
     })},
    {.name = "PPChart2TableImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 1024, "width": 1024}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]
     })},
    {.name = "PvtImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
     })},
    {.name = "SegGptImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 448, "width": 448}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225]
     })},
    {.name = "SegformerImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 512, "width": 512}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
         "do_reduce_labels": false
     })},
    {.name = "SiglipImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 224, "width": 224},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     })},
    {.name = "Tipsv2DptImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 448, "width": 448}, "resample": 2,
         "do_rescale": true, "do_normalize": false
     })},
    {.name = "Tipsv2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 448, "width": 448}, "resample": 2,
         "do_rescale": true, "do_normalize": false
     })},
    {.name = "ViTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     })},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_plain = {classes};

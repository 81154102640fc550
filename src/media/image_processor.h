/* Image processors: from the images and preprocessor_config.json to the tensor that a vision model takes, as
   the classes of transformers (image_processing_backends.py) do. One pipeline for all classes, resize ->
   center crop -> rescale and normalize, whose defaults and rule for the new size are a row of a table in
   image_processor.c. */
#ifndef AM_MEDIA_IMAGE_PROCESSOR_H
#define AM_MEDIA_IMAGE_PROCESSOR_H

#include "base/json.h"
#include "media/image_resize.h"

#include <anymodel/tensor.h>

/* transformers has every class twice; both agree to about a grey level. */
typedef enum am_image_backend { AM_IMAGE_TORCHVISION, AM_IMAGE_PIL } am_image_backend;

/* SizeDict in pixels; 0: not given. */
typedef struct am_image_size {
    int64_t height, width, shortest_edge, longest_edge, max_height, max_width;
} am_image_size;

typedef struct am_image_class am_image_class;

/* Plain values: copied freely, nothing to free; a caller may change any (backend above all). */
typedef struct am_image_processor {
    const am_image_class *kind; /* static */
    am_image_backend backend;
    bool do_convert_rgb; /* images are RGB; this makes transparent_color white */
    bool do_resize, do_center_crop, do_rescale, do_normalize;
    bool default_to_square; /* what a `size` that is one number means: both sides, or the shorter */
    am_resample resample;
    am_image_size size, crop_size;
    double crop_pct; /* of the classes that enlarge before they crop, as ConvNext */
    double rescale_factor, image_mean[3], image_std[3];
} am_image_processor;

/* Reads `config`, the object of a preprocessor_config.json. `class_name` null: as `image_processor_type`
   says, or the older `feature_extractor_type`. The ending Fast means torchvision, Pil means PIL, none
   torchvision, which is what AutoImageProcessor takes. Fails with AM_UNSUPPORTED for a class or option that
   is not there, AM_INVALID_FILE for values that make no sense. */
am_status am_image_processor_init(am_json config, const char *class_name, am_image_processor *out) AM_NODISCARD;

/* Reads the model directory's processor_config.json (member "image_processor"), or else
   preprocessor_config.json. Where that names no class, it is the one that transformers has for the model_type
   of config.json. */
am_status am_image_processor_open(const char *directory, am_image_processor *out) AM_NODISCARD;

/* "ViTImageProcessor"; a static string. */
const char *am_image_processor_name(const am_image_processor *processor);

/* Size of what comes out for an image of `in`. Fails with AM_INVALID_FILE where the configuration gives
   no size. */
am_status am_image_processor_size(const am_image_processor *processor, am_plane_size in,
                                  am_plane_size *out) AM_NODISCARD;

/* pixel_values: f32 [count, 3, height, width] of `count` images, at least 1. *out->data is freed with
   am_free_aligned. Fails with AM_INVALID_ARGUMENT when the images come out in different sizes. */
am_status am_image_processor_run(const am_image_processor *processor, const am_image *images, int64_t count,
                                 am_tensor *out) AM_NODISCARD;

#endif

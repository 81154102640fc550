/* Image processors: from images and preprocessor_config.json to the tensors that a vision model takes, as the classes
   of transformers do. Classes are files of images/; what they share is in images/processor.h. */
#ifndef AM_MEDIA_IMAGE_PROCESSOR_H
#define AM_MEDIA_IMAGE_PROCESSOR_H

#include "base/json.h"
#include "media/images/picture.h"
#include "media/media_tensors.h"

typedef struct am_image_processor am_image_processor;

/* Reads `config`, the object of a preprocessor_config.json, which is copied. `class_name` null: as
   `image_processor_type` says, or the older `feature_extractor_type`. The ending Fast means torchvision, Pil means PIL,
   none torchvision, which is what AutoImageProcessor takes. Fails with AM_UNSUPPORTED for a class or option that is not
   there, AM_INVALID_FILE for values that make no sense. */
am_status am_image_processor_create(am_json config, const char *class_name, am_image_processor **out) AM_NODISCARD;

/* Reads the model directory's processor_config.json (member "image_processor"), or else preprocessor_config.json. Where
   that names no class, it is the one that transformers has for the model_type of config.json. */
am_status am_image_processor_open(const char *directory, am_image_processor **out) AM_NODISCARD;

/* The same with arguments of its calls (an object, copied; MISSING: none), which go before the configuration, as a
   processor of several modalities gives them: {"crop_to_patches": true}. */
am_status am_image_processor_create_with(am_json config, const char *class_name, am_json arguments,
                                         am_image_processor **out) AM_NODISCARD;
am_status am_image_processor_open_with(const char *directory, am_json arguments, am_image_processor **out) AM_NODISCARD;

/* Null is allowed. */
void am_image_processor_close(am_image_processor *processor);

/* "ViTImageProcessor", a static string; and which of the two forms of the class it is. */
const char *am_image_processor_name(const am_image_processor *processor);
am_image_backend am_image_processor_backend(const am_image_processor *processor);

/* What is processed together. */
typedef struct am_image_inputs {
    const am_image *images;
    int64_t count;            /* at least 1 */
    am_json arguments;        /* of the call, an object or MISSING: {"task_inputs": ["semantic"], "boxes": ..} */
    const am_tensor *trimaps; /* VitMatte: u8 or f32 [height, width] for each image; null: none */
} am_image_inputs;

/* The outputs of the class: pixel_values [count, 3, height, width] and others. *out is deinited also after a failure.
   Fails with AM_INVALID_ARGUMENT for images that the class cannot take. */
am_status am_image_processor_run(const am_image_processor *processor, const am_image_inputs *inputs,
                                 am_media_tensors *out) AM_NODISCARD;

/* What an image becomes of which a model takes more or less as it is larger. */
typedef struct am_image_patch_count {
    int64_t count;         /* patches, tiles (with that of the whole image) or soft tokens, whichever the class makes */
    int64_t rows, columns; /* how they lie in the image; 0 where it is not divided */
} am_image_patch_count;

/* get_number_of_image_patches and its like: what processing an image of this size alone would make. Fails with
   AM_UNSUPPORTED for a class that makes one tensor of one size of every image, AM_INVALID_ARGUMENT for sizes that
   the class does not take. */
am_status am_image_processor_count_patches(const am_image_processor *processor, am_plane_size in,
                                           am_image_patch_count *out) AM_NODISCARD;

#endif

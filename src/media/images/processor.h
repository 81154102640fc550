/* What an image processor's class is made of. A class is a row of its family's file here: the class attributes of the
   Python class as JSON, and how it processes, where that is not the common way (resize, center crop, rescale,
   normalize, pad). Settings are read by the names that preprocessor_config.json has them under. */
#ifndef AM_MEDIA_IMAGES_PROCESSOR_H
#define AM_MEDIA_IMAGES_PROCESSOR_H

#include "media/image_processor.h"

/* SizeDict in pixels; 0: not given. */
typedef struct am_image_size {
    int64_t height, width, shortest_edge, longest_edge, max_height, max_width, min_pixels, max_pixels;
} am_image_size;

/* One call. `pictures` are the images as the backend holds them, replaced or given away as the class likes; what is
   left is deinited by the caller. */
typedef struct am_image_run {
    const am_image_processor *processor;
    const am_image_inputs *inputs;
    am_picture *pictures; /* [count] */
    int64_t count;
    am_media_tensors *out;
} am_image_run;

typedef struct am_image_class {
    const char *name;     /* without Fast and Pil */
    const char *defaults; /* JSON object: attributes of the class */
    /* The new size of the common way, before center_crop; null: as `size` says (am_image_fit). */
    am_status (*new_size)(const am_image_processor *processor, am_plane_size in, am_plane_size *out);
    /* What is done to each picture; null: the common way. Padding a batch is not part of it. */
    am_status (*steps)(const am_image_processor *processor, am_picture *picture);
    am_status (*preprocess)(am_image_run *run); /* null: `steps` of each picture, and no more */
    /* Changes what was read of the settings, as __init__ and _standardize_kwargs do; null: nothing. */
    am_status (*standardize)(am_image_processor *processor);
    /* What a picture of this size becomes; null: am_image_processor_count_patches fails. */
    am_status (*count_patches)(const am_image_processor *processor, am_plane_size in, am_image_patch_count *out);
    const void *details; /* what the family's functions know this class by; of a type of its own */
} am_image_class;

/* A file of images/ exports one: rows up to one without name. */
typedef struct am_image_family {
    const am_image_class *classes;
} am_image_family;
extern const am_image_family *const am_image_family_registry[];

struct am_image_processor {
    const am_image_class *kind; /* static */
    am_image_backend backend;
    am_json_document *arguments, *config, *defaults; /* what goes first stands first; arguments may be null */
    bool do_convert_rgb, do_resize, do_center_crop, do_rescale, do_normalize, do_pad, do_flip_channel_order;
    bool default_to_square; /* what a `size` that is one number means: both sides, or the shorter */
    am_resample resample;
    am_image_size size, crop_size, pad_size;
    double rescale_factor, image_mean[3], image_std[3];
};

/* The text of a JSON value written in C: AM_JSON({"do_resize": true}). */
#define AM_JSON(...) #__VA_ARGS__

/* Reads the settings of a class: am_image_processor_create once that is found. `kind` must outlive *out. */
am_status am_image_processor_create_of(const am_image_class *kind, am_image_backend backend, am_json config,
                                       am_json arguments, am_image_processor **out) AM_NODISCARD;

/* --- settings --- */

/* A setting: of the arguments of the call or else of the configuration where it is given and not null, else the class
   attribute, else MISSING. */
am_json am_image_setting(const am_image_processor *processor, const char *key);

/* The setting into *out, which keeps its value where there is none. Fail with AM_INVALID_FILE and the key when it is of
   another kind or out of bounds. */
am_status am_image_flag(const am_image_processor *processor, const char *key, bool *out) AM_NODISCARD;
am_status am_image_integer(const am_image_processor *processor, const char *key, int64_t least, int64_t most,
                           int64_t *out) AM_NODISCARD;
am_status am_image_number(const am_image_processor *processor, const char *key, double *out) AM_NODISCARD;

/* A number for all channels, or one for each. */
am_status am_image_channels(const am_image_processor *processor, const char *key, double out[3]) AM_NODISCARD;

/* get_size_dict of a setting: an object, [height, width], or one number (`square`: both sides, else shortest_edge).
 *out is all 0 where there is none. */
am_status am_image_read_size(const am_image_processor *processor, const char *key, bool square,
                             am_image_size *out) AM_NODISCARD;

/* Fails with AM_INVALID_FILE for settings that contradict each other: do_center_crop without crop_size, std of 0. */
am_status am_image_check(const am_image_processor *processor) AM_NODISCARD;

/* --- sizes --- */

/* What resize makes of a picture under a SizeDict. Fails with AM_INVALID_FILE where it says nothing. */
am_status am_image_fit(const am_image_size *size, am_plane_size in, am_plane_size *out) AM_NODISCARD;

/* get_size_with_aspect_ratio, get_resize_output_image_size and get_image_size_for_max_height_width. */
am_plane_size am_image_fit_edges(am_plane_size in, int64_t shortest, int64_t longest);
am_plane_size am_image_fit_shortest(am_plane_size in, int64_t shortest);
am_plane_size am_image_fit_box(am_plane_size in, int64_t max_height, int64_t max_width);

/* smart_resize of Qwen2-VL: both sides become multiples of `factor` and their product lies between min and max pixels,
   the aspect ratio about the same. Fails with AM_INVALID_ARGUMENT for pictures 200 times as long as wide. */
am_status am_image_smart_resize(am_plane_size in, int64_t factor, int64_t min_pixels, int64_t max_pixels,
                                am_plane_size *out) AM_NODISCARD;

/* --- steps --- */

/* Resizes with the processor's backend and resample, antialiased. */
am_status am_image_resize(const am_image_processor *processor, am_picture *picture, am_plane_size to) AM_NODISCARD;

/* The first steps of the common way, where the flags say so: to the size that new_size or `size` gives; center_crop. */
am_status am_image_do_resize(const am_image_processor *processor, am_picture *picture) AM_NODISCARD;
am_status am_image_do_center_crop(const am_image_processor *processor, am_picture *picture) AM_NODISCARD;

/* Rescales and normalizes as the processor's flags say; torchvision folds both into one, PIL does one after another. */
am_status am_image_rescale_and_normalize(const am_image_processor *processor, am_picture *picture) AM_NODISCARD;

/* --- outputs --- */

/* Outputs `count` pictures as one tensor f32 [count, channels, height, width], or as a list where their sizes differ.
   They are made floats, and may be without their numbers afterwards. */
am_status am_image_give(am_image_run *run, const char *name, am_picture *pictures, int64_t count) AM_NODISCARD;

/* am_image_rescale_and_normalize of each, and am_image_give. */
am_status am_image_finish_all(am_image_run *run, const char *name, am_picture *pictures, int64_t count) AM_NODISCARD;

/* The same as am_image_give of bytes: u8. They must be of one size. */
am_status am_image_give_bytes(am_image_run *run, const char *name, am_picture *pictures, int64_t count) AM_NODISCARD;

/* pad and its mask: all pictures get the size `to` (0: the largest of them), `fill` at the right and bottom; where
   `mask` names an output, that is i64 [count, height, width], 1 where a picture was. */
am_status am_image_pad_all(am_image_run *run, am_plane_size to, double fill, const char *mask) AM_NODISCARD;

/* Copies a picture of floats to out: [channels, height, width]; returns its end. */
float *am_image_put(const am_picture *picture, float *out);

/* Outputs the run's pictures as pixel_values, after padding them to pad_size where do_pad says so; `mask` as above. */
am_status am_image_give_padded(am_image_run *run, const char *mask) AM_NODISCARD;

/* An i64 tensor of this shape, its values to be filled in. */
am_status am_image_give_integers(am_image_run *run, const char *name, const am_shape *shape,
                                 int64_t **out) AM_NODISCARD;

/* An f32 tensor of this shape, its values to be filled in. */
am_status am_image_give_floats(am_image_run *run, const char *name, const am_shape *shape, float **out) AM_NODISCARD;

#endif

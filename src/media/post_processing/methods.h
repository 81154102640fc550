/* What post-processing methods are made of. A method is a row of its family's file here, with the classes that have it
   and what they differ in. */
#ifndef AM_MEDIA_POST_PROCESSING_METHODS_H
#define AM_MEDIA_POST_PROCESSING_METHODS_H

#include "media/post_processing/post_processing.h"

typedef struct am_post_method am_post_method;

/* One call. */
typedef struct am_post_run {
    const am_image_processor *processor;
    const am_post_method *method;
    const am_media_tensors *outputs;
    am_json options;
    am_post_results *results;
    am_arena *scratch; /* freed after the call */
} am_post_run;

struct am_post_method {
    const char *name;
    const char *classes;                /* "Detr Yolos": without ImageProcessor, one blank between them */
    am_status (*run)(am_post_run *run); /* adds items to run->results */
    const void *settings;               /* of a type of the family's own */
};

/* A file of this folder exports one: rows up to one without name. */
typedef struct am_post_family {
    const am_post_method *methods;
} am_post_family;
extern const am_post_family *const am_post_family_registry[];

/* --- outputs of the model --- */

/* The f32 output of that name and rank. Fails with AM_INVALID_ARGUMENT when there is none. */
am_status am_post_tensor(const am_post_run *run, const char *name, int rank, const am_tensor **out) AM_NODISCARD;

/* The same of numbers of any type. */
am_status am_post_numbers(const am_post_run *run, const char *name, int rank, const am_tensor **out) AM_NODISCARD;

/* Whether the model gave it. */
bool am_post_given(const am_post_run *run, const char *name);

/* Its floats. */
const float *am_post_floats(const am_tensor *tensor);

/* Fails with AM_INVALID_ARGUMENT unless dimension `axis` of the tensor is `expected`; `name` is the tensor's. */
am_status am_post_check(const am_tensor *tensor, const char *name, int axis, int64_t expected) AM_NODISCARD;

/* --- arguments of the call --- */

/* Fail with AM_INVALID_ARGUMENT when they are of another kind; the fallback where not given or null. */
am_status am_post_number(const am_post_run *run, const char *name, double fallback, double *out) AM_NODISCARD;
am_status am_post_integer(const am_post_run *run, const char *name, int64_t least, int64_t fallback,
                          int64_t *out) AM_NODISCARD;
am_status am_post_flag(const am_post_run *run, const char *name, bool fallback, bool *out) AM_NODISCARD;

/* [[height, width], ...] for each of `count` images, in scratch; null where not given. */
am_status am_post_sizes(const am_post_run *run, const char *name, int64_t count, am_plane_size **out) AM_NODISCARD;

/* One [height, width] out of it: two positive numbers of not too many pixels. */
am_status am_post_size(am_json value, const char *name, am_plane_size *out) AM_NODISCARD;

/* A list of whole numbers, in scratch; *count 0 where not given. */
am_status am_post_integers(const am_post_run *run, const char *name, int64_t **out, int64_t *count) AM_NODISCARD;

/* --- scratch --- */

/* Arrays of a * b elements. Fail with AM_OUT_OF_MEMORY. */
am_status am_post_float_array(const am_post_run *run, int64_t a, int64_t b, float **out) AM_NODISCARD;
am_status am_post_integer_array(const am_post_run *run, int64_t a, int64_t b, int64_t **out) AM_NODISCARD;

/* --- results --- */

/* Appends an item for an image; *out is borrowed and valid until the next. */
am_status am_post_add(am_post_run *run, int64_t image, am_post_item **out) AM_NODISCARD;

/* Appends a field with a tensor of zeros; the borrowed *out is to be filled in. */
am_status am_post_add_field(am_post_run *run, am_post_item *item, const char *name, am_dtype dtype,
                            const am_shape *shape, am_tensor **out) AM_NODISCARD;

/* The same, filled with values: f32 [count], i64 [count]. */
am_status am_post_give_floats(am_post_run *run, am_post_item *item, const char *name, const float *values,
                              int64_t count) AM_NODISCARD;
am_status am_post_give_integers(am_post_run *run, am_post_item *item, const char *name, const int64_t *values,
                                int64_t count) AM_NODISCARD;

/* "boxes", f32 [count, 4]; *out is to be filled in. */
am_status am_post_give_boxes(am_post_run *run, am_post_item *item, int64_t count, float **out) AM_NODISCARD;

/* Appends a field that is None. */
void am_post_add_none(am_post_item *item, const char *name);

/* Appends a field that is a list of `count` tensors, which hold nothing yet: am_post_alloc gives each its zeros. */
am_status am_post_add_list(am_post_run *run, am_post_item *item, const char *name, int64_t count,
                           am_tensor **out) AM_NODISCARD;
am_status am_post_alloc(am_post_run *run, am_dtype dtype, const am_shape *shape, am_tensor *out) AM_NODISCARD;

#endif

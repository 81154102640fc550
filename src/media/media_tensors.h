/* What a processor makes of images or sounds: tensors under the names that models take them by. */
#ifndef AM_MEDIA_MEDIA_TENSORS_H
#define AM_MEDIA_MEDIA_TENSORS_H

#include "base/status.h"

#include <anymodel/tensor.h>

#include <stdbool.h>

enum { AM_MEDIA_TENSORS = 16 };

/* One output: a tensor, or as many as there were inputs where their shapes differ. A text is its UTF-8 as U8. */
typedef struct am_media_output {
    char name[48];
    bool is_list;
    am_tensor *tensors; /* [count], each with data of its own */
    int64_t count;
} am_media_output;

/* All zeros holds nothing. */
typedef struct am_media_tensors {
    am_media_output items[AM_MEDIA_TENSORS];
    int count;
} am_media_tensors;

void am_media_tensors_deinit(am_media_tensors *list);

/* Appends a tensor of zeros; *out is borrowed. Fails with AM_OUT_OF_MEMORY. */
am_status am_media_tensors_add(am_media_tensors *list, const char *name, am_dtype dtype, const am_shape *shape,
                               am_tensor **out) AM_NODISCARD;

/* The same with all its values for the caller to write. */
am_status am_media_tensors_add_unset(am_media_tensors *list, const char *name, am_dtype dtype, const am_shape *shape,
                                     am_tensor **out) AM_NODISCARD;

/* Appends a list of `count` tensors that hold nothing yet: am_media_tensor_alloc gives each its shape. */
am_status am_media_tensors_add_list(am_media_tensors *list, const char *name, int64_t count,
                                    am_tensor **out) AM_NODISCARD;
am_status am_media_tensor_alloc(am_tensor *tensor, am_dtype dtype, const am_shape *shape) AM_NODISCARD;

/* The output of that name; null when there is none. */
const am_media_output *am_media_tensors_find(const am_media_tensors *list, const char *name);

/* Its tensor. Fails with AM_INVALID_ARGUMENT when there is none or it is a list: its inputs make no batch. */
am_status am_media_tensors_get(const am_media_tensors *list, const char *name, const am_tensor **out) AM_NODISCARD;

#endif

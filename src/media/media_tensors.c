#include "media/media_tensors.h"

#include "base/memory.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void am_media_tensors_deinit(am_media_tensors *list)
{
    for (int i = 0; i < list->count; i++) {
        for (int64_t k = 0; k < list->items[i].count; k++) am_free_aligned(list->items[i].tensors[k].data);
        am_free(list->items[i].tensors);
    }
    *list = (am_media_tensors){0};
}

static am_status alloc_unset(am_tensor *tensor, am_dtype dtype, const am_shape *shape)
{
    *tensor = (am_tensor){.dtype = dtype, .shape = *shape};
    if (!am_shape_check(shape)) return am_out_of_memory();
    size_t bytes = am_tensor_bytes(dtype, shape);
    tensor->data = am_alloc_aligned(bytes ? bytes : 1);
    return tensor->data ? NULL : am_out_of_memory();
}

am_status am_media_tensor_alloc(am_tensor *tensor, am_dtype dtype, const am_shape *shape)
{
    AM_TRY(alloc_unset(tensor, dtype, shape));
    memset(tensor->data, 0, am_tensor_bytes(dtype, shape));
    return NULL;
}

am_status am_media_tensors_add_list(am_media_tensors *list, const char *name, int64_t count, am_tensor **out)
{
    if (list->count == AM_MEDIA_TENSORS) return am_error(AM_INTERNAL, "more than %d outputs", AM_MEDIA_TENSORS);
    am_media_output *item = &list->items[list->count];
    *item = (am_media_output){.is_list = true, .count = count};
    snprintf(item->name, sizeof item->name, "%s", name);
    item->tensors = am_alloc_zeroed(count ? (size_t)count : 1, sizeof *item->tensors);
    if (!item->tensors) return am_out_of_memory();
    list->count++;
    *out = item->tensors;
    return NULL;
}

am_status am_media_tensors_add_unset(am_media_tensors *list, const char *name, am_dtype dtype, const am_shape *shape,
                                     am_tensor **out)
{
    AM_TRY(am_media_tensors_add_list(list, name, 1, out));
    list->items[list->count - 1].is_list = false;
    return alloc_unset(*out, dtype, shape);
}

am_status am_media_tensors_add(am_media_tensors *list, const char *name, am_dtype dtype, const am_shape *shape,
                               am_tensor **out)
{
    AM_TRY(am_media_tensors_add_unset(list, name, dtype, shape, out));
    memset((*out)->data, 0, am_tensor_bytes(dtype, shape));
    return NULL;
}

const am_media_output *am_media_tensors_find(const am_media_tensors *list, const char *name)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
    return NULL;
}

am_status am_media_tensors_get(const am_media_tensors *list, const char *name, const am_tensor **out)
{
    const am_media_output *item = am_media_tensors_find(list, name);
    if (!item) return am_error(AM_INVALID_ARGUMENT, "there is no %s", name);
    *out = item->tensors;
    if (!item->is_list) return NULL;
    char shapes[2][AM_SHAPE_TEXT];
    int64_t other = 0;
    while (other < item->count - 1 && am_shape_equal(&item->tensors[0].shape, &item->tensors[other].shape)) other++;
    if (!item->count) return am_error(AM_INVALID_ARGUMENT, "%s: nothing was given", name);
    return am_error(AM_INVALID_ARGUMENT, "%s: number 0 comes out as %s, number %" PRId64 " as %s: they make no batch",
                    name, am_shape_text(&item->tensors[0].shape, shapes[0]), other,
                    am_shape_text(&item->tensors[other].shape, shapes[1]));
}

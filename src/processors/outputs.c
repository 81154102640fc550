#include "base/memory.h"
#include "processors/class.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- reading --- */

static int64_t element(const am_tensor *x, int64_t i)
{
    switch (x->dtype) {
    case AM_I64:
        return ((const int64_t *)x->data)[i];
    case AM_I32:
        return ((const int32_t *)x->data)[i];
    case AM_F32:
        return (int64_t)((const float *)x->data)[i];
    case AM_BOOL:
    case AM_U8:
        return ((const uint8_t *)x->data)[i];
    default:
        return 0;
    }
}

/* Row `row` of an output: `count` numbers of a tensor from `first` on. */
typedef struct row_place {
    const am_tensor *tensor;
    int64_t first, count;
} row_place;

static am_status find_row(const am_media_tensors *list, const char *name, int64_t row, row_place *out)
{
    const am_media_output *item = am_media_tensors_find(list, name);
    if (!item) return am_error(AM_INVALID_ARGUMENT, "there is no %s", name);
    const am_tensor *x = &item->tensors[item->is_list && row < item->count ? row : 0];
    int64_t rows = item->is_list ? item->count : x->shape.rank ? x->shape.dims[0] : 1;
    if (row < 0 || row >= rows)
        return am_error(AM_INVALID_ARGUMENT, "%s has %" PRId64 " rows, none at %" PRId64, name, rows, row);
    int64_t count = am_shape_count(&x->shape);
    *out = (row_place){x, 0, count};
    if (!item->is_list) *out = (row_place){x, row * (count / rows), count / rows};
    return NULL;
}

am_status am_media_number(const am_media_tensors *list, const char *name, int64_t row, int64_t column, int64_t *out)
{
    row_place place;
    AM_TRY(find_row(list, name, row, &place));
    if (column < 0 || column >= place.count)
        return am_error(AM_INVALID_ARGUMENT, "%s: row %" PRId64 " has %" PRId64 " numbers, none at %" PRId64, name, row,
                        place.count, column);
    *out = element(place.tensor, place.first + column);
    return NULL;
}

am_status am_media_shape(const am_media_tensors *list, const char *name, int64_t row, am_shape *out)
{
    const am_media_output *item = am_media_tensors_find(list, name);
    if (!item || (item->is_list && (row < 0 || row >= item->count)))
        return am_error(AM_INVALID_ARGUMENT, "there is no %s of number %" PRId64, name, row);
    *out = item->tensors[item->is_list ? row : 0].shape;
    return NULL;
}

am_status am_media_row_sum(const am_media_tensors *list, const char *name, int64_t row, int64_t *out)
{
    row_place place;
    *out = 0;
    AM_TRY(find_row(list, name, row, &place));
    for (int64_t i = 0; i < place.count; i++) *out += element(place.tensor, place.first + i);
    return NULL;
}

/* --- changing --- */

void am_media_rename(am_media_tensors *list, const char *from, const char *to)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, from) == 0) snprintf(list->items[i].name, sizeof list->items[i].name, "%s", to);
}

void am_media_drop(am_media_tensors *list, const char *name)
{
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) != 0) continue;
        for (int64_t k = 0; k < list->items[i].count; k++) am_free_aligned(list->items[i].tensors[k].data);
        am_free(list->items[i].tensors);
        list->count--;
        memmove(&list->items[i], &list->items[i + 1], (size_t)(list->count - i) * sizeof *list->items);
        return;
    }
}

static bool same_lengths(int64_t count, const int64_t *lengths)
{
    for (int64_t i = 1; i < count; i++)
        if (lengths[i] != lengths[0]) return false;
    return true;
}

am_status am_give_rows(am_processor_call *run, const char *name, int64_t count, const int64_t *lengths,
                       int64_t *const *rows)
{
    am_tensor *x;
    if (count && same_lengths(count, lengths)) {
        am_shape shape = am_shape_of(count, lengths[0]);
        AM_TRY(am_media_tensors_add(&run->out->tensors, name, AM_I64, &shape, &x));
        for (int64_t i = 0; i < count; i++)
            memcpy((int64_t *)x->data + i * lengths[0], rows[i], (size_t)lengths[0] * sizeof **rows);
        return NULL;
    }
    AM_TRY(am_media_tensors_add_list(&run->out->tensors, name, count, &x));
    for (int64_t i = 0; i < count; i++) {
        am_shape shape = am_shape_of(lengths[i]);
        AM_TRY(am_media_tensor_alloc(&x[i], AM_I64, &shape));
        memcpy(x[i].data, rows[i], (size_t)lengths[i] * sizeof **rows);
    }
    return NULL;
}

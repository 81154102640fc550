#include "base/memory.h"
#include "targets/cpu/reference/order.h"
#include "targets/cpu/reference/selection.h"

#include <string.h>

typedef struct row {
    const am_tensor *x;
    int64_t first, step;
    bool smallest;
} row;

static bool is_better(const void *context, int32_t i, int32_t k)
{
    const row *r = context;
    int order = am_reference_compare(r->x, r->first + i * r->step, r->first + k * r->step);
    return r->smallest ? order < 0 : order > 0;
}

/* A total order: the better number first, of equals the lower index. */
static bool goes_before(const void *context, int32_t i, int32_t k)
{
    return is_better(context, i, k) || (i < k && !is_better(context, k, i));
}

/* The best k of a row into order[0 .. k), which has room for twice as many as the row; only `length` of it count. */
static void rank(const row *r, int32_t *order, int64_t size, int64_t length, const am_top_k_attributes *a)
{
    am_order by_index = {goes_before, r}, by_value = {is_better, r};
    int64_t k = a->k < length ? a->k : length;
    for (int64_t i = 0; i < size; i++) order[i] = (int32_t)i;
    am_select_first(a->torch_equals ? &by_value : &by_index, order, length, k);
    am_sort_places(&by_index, order, order + size, k);
}

am_status am_reference_top_k(const am_kernel_call *call)
{
    const am_top_k_attributes *a = AM_ATTRIBUTES(am_top_k_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int32_t *indices = call->outputs[1].data;
    size_t bytes = am_dtype_bytes(x->dtype);
    am_rows rows = am_rows_along(&x->shape, a->axis);
    int64_t length = call->input_count > 1 ? *(const int32_t *)call->inputs[1].data : rows.size;
    if (length < 0 || length > rows.size)
        return am_error(AM_OUT_OF_RANGE, "%lld elements of a row of %lld", (long long)length, (long long)rows.size);
    int32_t *order = am_alloc(((size_t)rows.size * 2 + 1) * sizeof *order);
    if (!order) return am_out_of_memory();
    for (int64_t o = 0; o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++) {
            row r = {x, o * rows.size * rows.inner + n, rows.inner, a->smallest};
            rank(&r, order, rows.size, length, a);
            for (int64_t i = 0; i < a->k; i++) {
                int64_t to = (o * a->k + i) * rows.inner + n;
                indices[to] = order[i];
                memcpy((char *)y->data + (size_t)to * bytes,
                       (const char *)x->data + (size_t)(r.first + order[i] * r.step) * bytes, bytes);
            }
        }
    am_free(order);
    return NULL;
}

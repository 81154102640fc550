#include "base/memory.h"
#include "targets/cpu/reference/order.h"
#include "targets/cpu/reference/selection.h"

#include <string.h>

typedef struct row {
    const am_tensor *x;
    int64_t first, step;
    bool descending;
} row;

static bool goes_before(const void *context, int32_t i, int32_t k)
{
    const row *r = context;
    int order = am_reference_compare(r->x, r->first + i * r->step, r->first + k * r->step);
    return r->descending ? order > 0 : order < 0;
}

am_status am_reference_sort(const am_kernel_call *call)
{
    const am_sort_attributes *a = AM_ATTRIBUTES(am_sort_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int32_t *indices = call->outputs[1].data;
    size_t bytes = am_dtype_bytes(x->dtype);
    am_rows rows = am_rows_along(&x->shape, a->axis);
    int32_t *order = am_alloc((size_t)rows.size * 2 * sizeof *order);
    if (!order) return am_out_of_memory();
    for (int64_t o = 0; o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++) {
            row r = {x, o * rows.size * rows.inner + n, rows.inner, a->descending};
            for (int64_t i = 0; i < rows.size; i++) order[i] = (int32_t)i;
            am_sort_places(&(am_order){goes_before, &r}, order, order + rows.size, rows.size);
            for (int64_t i = 0; i < rows.size; i++) {
                int64_t to = r.first + i * r.step, from = r.first + order[i] * r.step;
                indices[to] = order[i];
                memcpy((char *)y->data + (size_t)to * bytes, (const char *)x->data + (size_t)from * bytes, bytes);
            }
        }
    am_free(order);
    return NULL;
}

#include "targets/cpu/reference/order.h"

#include <string.h>

typedef struct row {
    const am_tensor *x;
    int64_t first, step, size;
    bool smallest;
} row;

/* A total order: the better number first, of equals the lower index. */
static bool goes_before(const row *r, int64_t i, int64_t k)
{
    int order = am_reference_compare(r->x, r->first + i * r->step, r->first + k * r->step);
    if (order == 0) return i < k;
    return r->smallest ? order < 0 : order > 0;
}

/* The best element that comes after `previous` (-1: the best of all). */
static int64_t next_best(const row *r, int64_t previous)
{
    int64_t best = -1;
    for (int64_t i = 0; i < r->size; i++) {
        if (previous >= 0 && !goes_before(r, previous, i)) continue;
        if (best < 0 || goes_before(r, i, best)) best = i;
    }
    return best;
}

am_status am_reference_top_k(const am_kernel_call *call)
{
    const am_top_k_attributes *a = AM_ATTRIBUTES(am_top_k_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int32_t *indices = call->outputs[1].data;
    size_t bytes = am_dtype_bytes(x->dtype);
    am_rows rows = am_rows_along(&x->shape, a->axis);
    for (int64_t o = 0; o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++) {
            row r = {x, o * rows.size * rows.inner + n, rows.inner, rows.size, a->smallest};
            int64_t best = -1;
            for (int64_t i = 0; i < a->k; i++) {
                int64_t to = (o * a->k + i) * rows.inner + n;
                best = next_best(&r, best);
                indices[to] = (int32_t)best;
                memcpy((char *)y->data + (size_t)to * bytes,
                       (const char *)x->data + (size_t)(r.first + best * r.step) * bytes, bytes);
            }
        }
    return NULL;
}

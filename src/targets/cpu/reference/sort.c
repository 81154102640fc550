#include "base/memory.h"
#include "targets/cpu/reference/order.h"

#include <string.h>

typedef struct row {
    const am_tensor *x;
    int64_t first, step;
    bool descending;
} row;

static bool goes_before(const row *r, int32_t i, int32_t k)
{
    int order = am_reference_compare(r->x, r->first + i * r->step, r->first + k * r->step);
    return r->descending ? order > 0 : order < 0;
}

/* Merges order[begin, middle) and order[middle, end); of equals those of the first half come first. */
static void merge(const row *r, const int32_t *order, int32_t *out, int64_t begin, int64_t middle, int64_t end)
{
    int64_t left = begin, right = middle;
    for (int64_t i = begin; i < end; i++) {
        bool take_right = left == middle || (right < end && goes_before(r, order[right], order[left]));
        out[i] = order[take_right ? right++ : left++];
    }
}

/* Merge sort from runs of one element up; `spare` has room for as many. */
static void sort_row(const row *r, int32_t *order, int32_t *spare, int64_t size)
{
    for (int64_t i = 0; i < size; i++) order[i] = (int32_t)i;
    for (int64_t run = 1; run < size; run *= 2) {
        for (int64_t begin = 0; begin < size; begin += 2 * run) {
            int64_t middle = begin + run < size ? begin + run : size,
                    end = begin + 2 * run < size ? begin + 2 * run : size;
            merge(r, order, spare, begin, middle, end);
        }
        memcpy(order, spare, (size_t)size * sizeof *order);
    }
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
            sort_row(&r, order, order + rows.size, rows.size);
            for (int64_t i = 0; i < rows.size; i++) {
                int64_t to = r.first + i * r.step, from = r.first + order[i] * r.step;
                indices[to] = order[i];
                memcpy((char *)y->data + (size_t)to * bytes, (const char *)x->data + (size_t)from * bytes, bytes);
            }
        }
    am_free(order);
    return NULL;
}

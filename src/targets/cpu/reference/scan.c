#include "targets/cpu/reference/order.h"

#include <math.h>

static const am_binary_fn steps[AM_REDUCE_COUNT] = {
    [AM_REDUCE_SUM] = AM_ADD, [AM_REDUCE_PROD] = AM_MUL, [AM_REDUCE_MAX] = AM_MAX, [AM_REDUCE_MIN] = AM_MIN};

static double first_real(int fn)
{
    return fn == AM_REDUCE_PROD ? 1 : fn == AM_REDUCE_MAX ? -INFINITY : fn == AM_REDUCE_MIN ? INFINITY : 0;
}

/* What an exclusive scan begins with: the smallest number of the type for a maximum, the largest for a
   minimum. */
static int64_t first_int(int fn, am_dtype dtype)
{
    int bits = (int)am_dtype_bytes(dtype) * 8;
    int64_t largest = dtype == AM_U8 ? UINT8_MAX : (int64_t)(UINT64_MAX >> (65 - bits));
    if (fn == AM_REDUCE_MAX) return dtype == AM_U8 ? 0 : -largest - 1;
    return fn == AM_REDUCE_MIN ? largest : fn == AM_REDUCE_PROD;
}

static void scan_row(const am_scan_attributes *a, const am_tensor *x, const am_tensor *y, int64_t at, int64_t step,
                     int64_t size)
{
    bool real = am_dtype_is_float(x->dtype);
    double sum = first_real(a->fn);
    int64_t total = first_int(a->fn, x->dtype);
    for (int64_t i = 0; i < size; i++, at += step) {
        double before = sum;
        int64_t total_before = total;
        if (real) sum = am_binary_real(steps[a->fn], sum, am_load_real(x->dtype, x->data, at));
        else total = am_binary_int(steps[a->fn], total, am_load_int(x->dtype, x->data, at));
        if (real) am_store_real(y->dtype, y->data, at, a->exclusive ? before : sum);
        else am_store_int(y->dtype, y->data, at, a->exclusive ? total_before : total);
    }
}

am_status am_reference_scan(const am_kernel_call *call)
{
    const am_scan_attributes *a = AM_ATTRIBUTES(am_scan_attributes, call);
    am_rows rows = am_rows_along(&call->inputs[0].shape, a->axis);
    int64_t start = a->reverse ? (rows.size - 1) * rows.inner : 0;
    for (int64_t o = 0; rows.size && o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++)
            scan_row(a, &call->inputs[0], &call->outputs[0], o * rows.size * rows.inner + n + start,
                     a->reverse ? -rows.inner : rows.inner, rows.size);
    return NULL;
}

#include "targets/cpu/reference/order.h"

/* Whether element i is better than the best so far, NaN being best of all. */
static bool is_better(const am_tensor *x, int64_t i, int64_t best, bool is_min)
{
    int order = am_reference_compare(x, i, best);
    if (!is_min) return order > 0;
    if (!am_dtype_is_float(x->dtype)) return order < 0;
    double value = am_load_real(x->dtype, x->data, i), least = am_load_real(x->dtype, x->data, best);
    return least == least && (value != value || value < least);
}

am_status am_reference_arg_reduce(const am_kernel_call *call)
{
    const am_arg_reduce_attributes *a = AM_ATTRIBUTES(am_arg_reduce_attributes, call);
    const am_tensor *x = &call->inputs[0];
    int32_t *y = call->outputs[0].data;
    am_rows rows = am_rows_along(&x->shape, a->axis);
    for (int64_t o = 0; o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++) {
            int64_t first = o * rows.size * rows.inner + n, best = 0;
            for (int64_t i = 1; i < rows.size; i++)
                if (is_better(x, first + i * rows.inner, first + best * rows.inner, a->is_min)) best = i;
            y[o * rows.inner + n] = (int32_t)best;
        }
    return NULL;
}

#include "targets/cpu/kernel.h"

#include <math.h>

static void softmax_line(const am_tensor *x, const am_tensor *y, int64_t start, int64_t stride, int64_t count,
                         bool log_form)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++)
        largest = am_binary_real(AM_MAX, largest, am_load_real(x->dtype, x->data, start + i * stride));
    for (int64_t i = 0; i < count; i++) sum += exp(am_load_real(x->dtype, x->data, start + i * stride) - largest);
    for (int64_t i = 0; i < count; i++) {
        double shifted = am_load_real(x->dtype, x->data, start + i * stride) - largest;
        am_store_real(y->dtype, y->data, start + i * stride, log_form ? shifted - log(sum) : exp(shifted) / sum);
    }
}

am_status am_reference_softmax(const am_kernel_call *call)
{
    const am_softmax_attributes *a = AM_ATTRIBUTES(am_softmax_attributes, call);
    const am_tensor *x = &call->inputs[0];
    int64_t strides[AM_RANK_LIMIT], size = x->shape.dims[a->axis], count = am_shape_count(&x->shape);
    am_shape_strides(&x->shape, strides);
    int64_t inner = strides[a->axis], lines = size ? count / size : 0;
    for (int64_t i = 0; i < lines; i++)
        softmax_line(x, &call->outputs[0], i / inner * inner * size + i % inner, inner, size, a->log);
    return NULL;
}

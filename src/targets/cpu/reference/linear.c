#include "targets/cpu/kernel.h"

am_status am_reference_linear(const am_kernel_call *call)
{
    const am_linear_attributes *a = AM_ATTRIBUTES(am_linear_attributes, call);
    const am_tensor *x = &call->inputs[0], *w = &call->inputs[1], *bias = &call->inputs[2],
                    *residual = &call->inputs[3];
    const am_tensor *y = &call->outputs[0];
    int64_t K = w->shape.dims[a->in_out ? 0 : 1], N = w->shape.dims[a->in_out ? 1 : 0],
            M = am_shape_count(&y->shape) / (N ? N : 1);
    int64_t w_n = a->in_out ? 1 : K, w_k = a->in_out ? N : 1;
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = 0;
            for (int64_t k = 0; k < K; k++)
                sum += am_load_real(x->dtype, x->data, m * K + k) * am_load_real(w->dtype, w->data, n * w_n + k * w_k);
            if (bias->data) sum += am_load_real(bias->dtype, bias->data, n);
            sum = am_unary_real((am_unary_fn)a->activation, sum);
            if (residual->data) sum += am_load_real(residual->dtype, residual->data, m * N + n);
            am_store_real(y->dtype, y->data, m * N + n, sum);
        }
    return NULL;
}

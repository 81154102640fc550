#include "targets/cpu/kernel.h"

enum { C = AM_QUANTIZED_COLUMNS };

/* Number [n, k] of a weight in panels. */
static double number(const am_kernel_call *call, int64_t K, int64_t n, int64_t k)
{
    const am_quantized_linear_attributes *a = AM_ATTRIBUTES(am_quantized_linear_attributes, call);
    const am_tensor *weight = &call->inputs[1], *scales = &call->inputs[2], *zero_points = &call->inputs[3];
    int64_t together = a->bits == 8 ? 4 : 8, panel = n / C, c = n % C;
    int64_t at = ((panel * (K / together) + k / together) * C + c) * 4 + k % 4;
    int64_t group = (panel * (K / a->group) + k / a->group) * C + c;
    int64_t q = am_load_int(weight->dtype, weight->data, at);
    if (a->bits == 4) q = k % 8 < 4 ? q & 15 : q >> 4;
    int64_t zero = zero_points->data ? am_load_int(zero_points->dtype, zero_points->data, group) : a->bits == 8 ? 128 : 8;
    return (double)(q - zero) * am_load_real(scales->dtype, scales->data, group);
}

am_status am_reference_quantized_linear(const am_kernel_call *call)
{
    const am_quantized_linear_attributes *a = AM_ATTRIBUTES(am_quantized_linear_attributes, call);
    const am_tensor *x = &call->inputs[0], *bias = &call->inputs[4], *residual = &call->inputs[5];
    const am_tensor *y = &call->outputs[0];
    int64_t N = a->columns, K = x->shape.dims[x->shape.rank - 1], M = am_shape_count(&y->shape) / N;
    for (int64_t n = 0; n < N; n++)
        for (int64_t m = 0; m < M; m++) {
            double sum = 0;
            for (int64_t k = 0; k < K; k++) sum += am_load_real(x->dtype, x->data, m * K + k) * number(call, K, n, k);
            if (bias->data) sum += am_load_real(bias->dtype, bias->data, n);
            sum = am_unary_real((am_unary_fn)a->activation, sum);
            if (residual->data) sum += am_load_real(residual->dtype, residual->data, m * N + n);
            am_store_real(y->dtype, y->data, m * N + n, sum);
        }
    return NULL;
}

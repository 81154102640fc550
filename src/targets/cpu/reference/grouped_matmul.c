#include "targets/cpu/kernel.h"

am_status am_reference_grouped_matmul(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *experts = &call->inputs[1], *weight = &call->inputs[2],
                    *bias = &call->inputs[3];
    const am_tensor *y = &call->outputs[0];
    int64_t S = y->shape.dims[1], M = y->shape.dims[2], K = weight->shape.dims[2],
            count = am_shape_count(&experts->shape), e;
    for (int64_t slot = 0; slot < count; slot++) {
        int64_t x_at = (x->shape.rank == 3 ? slot : slot / S) * K;
        AM_TRY(am_read_index(experts, slot, weight->shape.dims[0], &e));
        for (int64_t m = 0; m < M; m++) {
            double sum = call->input_count > 3 && bias->data ? am_load_real(bias->dtype, bias->data, e * M + m) : 0;
            for (int64_t k = 0; k < K; k++)
                sum += am_load_real(x->dtype, x->data, x_at + k) *
                       am_load_real(weight->dtype, weight->data, (e * M + m) * K + k);
            am_store_real(y->dtype, y->data, slot * M + m, sum);
        }
    }
    return NULL;
}

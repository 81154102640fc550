#include "targets/cpu/kernel.h"

am_status am_reference_gated_activation(const am_kernel_call *call)
{
    am_unary_fn fn = (am_unary_fn)AM_ATTRIBUTES(am_gated_activation_attributes, call)->fn;
    const am_tensor *gate = &call->inputs[0], *up = &call->inputs[1], *y = &call->outputs[0];
    bool packed = call->input_count < 2 || !up->data;
    int64_t n = y->shape.rank ? y->shape.dims[y->shape.rank - 1] : 1, count = am_shape_count(&y->shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t gate_at = packed ? i / n * 2 * n + i % n : i;
        double other =
            packed ? am_load_real(gate->dtype, gate->data, gate_at + n) : am_load_real(up->dtype, up->data, i);
        am_store_real(y->dtype, y->data, i, am_unary_real(fn, am_load_real(gate->dtype, gate->data, gate_at)) * other);
    }
    return NULL;
}

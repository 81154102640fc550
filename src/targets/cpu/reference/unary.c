#include "targets/cpu/kernel.h"

am_status am_reference_unary(const am_kernel_call *call)
{
    am_unary_fn fn = (am_unary_fn)AM_ATTRIBUTES(am_unary_attributes, call)->fn;
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t count = am_shape_count(&x->shape);
    for (int64_t i = 0; i < count; i++) {
        if (am_dtype_is_float(x->dtype))
            am_store_real(y->dtype, y->data, i, am_unary_real(fn, am_load_real(x->dtype, x->data, i)));
        else am_store_int(y->dtype, y->data, i, am_unary_int(fn, am_load_int(x->dtype, x->data, i)));
    }
    return NULL;
}

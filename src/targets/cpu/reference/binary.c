#include "targets/cpu/kernel.h"

am_status am_reference_binary(const am_kernel_call *call)
{
    am_binary_fn fn = (am_binary_fn)AM_ATTRIBUTES(am_binary_attributes, call)->fn;
    const am_tensor *x = &call->inputs[0], *y = &call->inputs[1], *z = &call->outputs[0];
    int64_t x_strides[AM_RANK_LIMIT], y_strides[AM_RANK_LIMIT];
    am_shape_broadcast_strides(&x->shape, &z->shape, x_strides);
    am_shape_broadcast_strides(&y->shape, &z->shape, y_strides);
    for (am_walk w = am_walk_begin(&z->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t i = am_walk_offset(&w, x_strides), k = am_walk_offset(&w, y_strides);
        if (am_dtype_is_float(x->dtype))
            am_store_real(z->dtype, z->data, w.flat,
                          am_binary_real(fn, am_load_real(x->dtype, x->data, i), am_load_real(y->dtype, y->data, k)));
        else
            am_store_int(z->dtype, z->data, w.flat,
                         am_binary_int(fn, am_load_int(x->dtype, x->data, i), am_load_int(y->dtype, y->data, k)));
    }
    return NULL;
}

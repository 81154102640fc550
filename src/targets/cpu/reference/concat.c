#include "targets/cpu/kernel.h"

#include <string.h>

am_status am_reference_concat(const am_kernel_call *call)
{
    int axis = (int)AM_ATTRIBUTES(am_axis_attributes, call)->axis;
    const am_tensor *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(y->dtype);
    int64_t strides[AM_RANK_LIMIT], at = 0;
    am_shape_strides(&y->shape, strides);
    for (int i = 0; i < call->input_count; i++) {
        const am_tensor *x = &call->inputs[i];
        for (am_walk w = am_walk_begin(&x->shape); am_walk_more(&w); am_walk_next(&w)) {
            int64_t to = am_walk_offset(&w, strides) + at * strides[axis];
            memcpy((char *)y->data + (size_t)to * bytes, (const char *)x->data + (size_t)w.flat * bytes, bytes);
        }
        at += x->shape.dims[axis];
    }
    return NULL;
}

#include "targets/cpu/kernel.h"

#include <string.h>

am_status am_reference_permute(const am_kernel_call *call)
{
    const am_permute_attributes *a = AM_ATTRIBUTES(am_permute_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(x->dtype);
    int64_t strides[AM_RANK_LIMIT], reordered[AM_RANK_LIMIT];
    am_shape_strides(&x->shape, strides);
    for (int i = 0; i < y->shape.rank; i++) reordered[i] = strides[a->order.dims[i]];
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w))
        memcpy((char *)y->data + (size_t)w.flat * bytes,
               (const char *)x->data + (size_t)am_walk_offset(&w, reordered) * bytes, bytes);
    return NULL;
}

#include "targets/cpu/kernel.h"

#include <string.h>

/* Place in an axis of `size` that an output place shows, or -1 for the constant. */
static int64_t source(int mode, int64_t at, int64_t size)
{
    if (at >= 0 && at < size) return at;
    switch (mode) {
    case AM_PAD_REFLECT:
        return at < 0 ? -at : 2 * (size - 1) - at;
    case AM_PAD_REPLICATE:
        return at < 0 ? 0 : size - 1;
    case AM_PAD_CIRCULAR:
        return at < 0 ? at + size : at - size;
    default:
        return -1;
    }
}

am_status am_reference_pad(const am_kernel_call *call)
{
    const am_pad_attributes *a = AM_ATTRIBUTES(am_pad_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(x->dtype);
    int64_t strides[AM_RANK_LIMIT];
    am_shape_strides(&x->shape, strides);
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t from = 0;
        bool inside = true;
        for (int i = 0; i < x->shape.rank && inside; i++) {
            int64_t at = source(a->mode, w.index[i] - a->before.dims[i], x->shape.dims[i]);
            inside = at >= 0;
            from += at * strides[i];
        }
        if (inside)
            memcpy((char *)y->data + (size_t)w.flat * bytes, (const char *)x->data + (size_t)from * bytes, bytes);
        else am_store_real(y->dtype, y->data, w.flat, a->value);
    }
    return NULL;
}

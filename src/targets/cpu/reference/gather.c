#include "targets/cpu/kernel.h"

#include <string.h>

static am_status gather_elements(const am_tensor *x, const am_tensor *index, const am_tensor *y, int axis)
{
    size_t bytes = am_dtype_bytes(x->dtype);
    int64_t strides[AM_RANK_LIMIT], at;
    am_shape_strides(&x->shape, strides);
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        AM_TRY(am_read_index(index, w.flat, x->shape.dims[axis], &at));
        int64_t from = am_walk_offset(&w, strides) + (at - w.index[axis]) * strides[axis];
        memcpy((char *)y->data + (size_t)w.flat * bytes, (const char *)x->data + (size_t)from * bytes, bytes);
    }
    return NULL;
}

/* x: [outer, size, inner], index: [n] -> y: [outer, n, inner] */
static am_status gather_slices(const am_tensor *x, const am_tensor *index, const am_tensor *y, int axis)
{
    int64_t outer = 1, inner = 1, size = x->shape.dims[axis], n = am_shape_count(&index->shape), at;
    for (int i = 0; i < axis; i++) outer *= x->shape.dims[i];
    for (int i = axis + 1; i < x->shape.rank; i++) inner *= x->shape.dims[i];
    size_t bytes = (size_t)inner * am_dtype_bytes(x->dtype);
    for (int64_t k = 0; k < n; k++) {
        AM_TRY(am_read_index(index, k, size, &at));
        for (int64_t o = 0; bytes && o < outer; o++)
            memcpy((char *)y->data + (size_t)(o * n + k) * bytes,
                   (const char *)x->data + (size_t)(o * size + at) * bytes, bytes);
    }
    return NULL;
}

am_status am_reference_gather(const am_kernel_call *call)
{
    const am_gather_attributes *a = AM_ATTRIBUTES(am_gather_attributes, call);
    return (a->elementwise ? gather_elements : gather_slices)(&call->inputs[0], &call->inputs[1], &call->outputs[0],
                                                              (int)a->axis);
}

#include "targets/cpu/kernel.h"

#include <string.h>

static void put(const am_tensor *y, int64_t to, const am_tensor *updates, int64_t from, int fn)
{
    static const am_binary_fn functions[] = {
        [AM_SCATTER_ADD] = AM_ADD, [AM_SCATTER_MIN] = AM_MIN, [AM_SCATTER_MAX] = AM_MAX};
    size_t bytes = am_dtype_bytes(y->dtype);
    if (fn == AM_SCATTER_SET)
        memcpy((char *)y->data + (size_t)to * bytes, (const char *)updates->data + (size_t)from * bytes, bytes);
    else if (am_dtype_is_float(y->dtype))
        am_store_real(y->dtype, y->data, to,
                      am_binary_real(functions[fn], am_load_real(y->dtype, y->data, to),
                                     am_load_real(y->dtype, updates->data, from)));
    else
        am_store_int(y->dtype, y->data, to,
                     am_binary_int(functions[fn], am_load_int(y->dtype, y->data, to),
                                   am_load_int(y->dtype, updates->data, from)));
}

am_status am_reference_scatter(const am_kernel_call *call)
{
    const am_scatter_attributes *a = AM_ATTRIBUTES(am_scatter_attributes, call);
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1], *updates = &call->inputs[2],
                    *y = &call->outputs[0];
    size_t bytes = am_tensor_bytes(x->dtype, &x->shape);
    int64_t strides[AM_RANK_LIMIT], at;
    am_shape_strides(&x->shape, strides);
    if (bytes && y->data != x->data) memcpy(y->data, x->data, bytes);
    for (am_walk w = am_walk_begin(&updates->shape); am_walk_more(&w); am_walk_next(&w)) {
        AM_TRY(am_read_index(index, a->elementwise ? w.flat : w.index[a->axis], x->shape.dims[a->axis], &at));
        put(y, am_walk_offset(&w, strides) + (at - w.index[a->axis]) * strides[a->axis], updates, w.flat, a->fn);
    }
    return NULL;
}

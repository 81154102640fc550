#include "targets/cpu/kernel.h"

#include <string.h>

am_status am_reference_select(const am_kernel_call *call)
{
    const am_tensor *condition = &call->inputs[0], *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(y->dtype);
    int64_t strides[3][AM_RANK_LIMIT];
    for (int i = 0; i < 3; i++) am_shape_broadcast_strides(&call->inputs[i].shape, &y->shape, strides[i]);
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int which = am_load_int(AM_BOOL, condition->data, am_walk_offset(&w, strides[0])) ? 1 : 2;
        size_t from = (size_t)am_walk_offset(&w, strides[which]) * bytes;
        memcpy((char *)y->data + (size_t)w.flat * bytes, (const char *)call->inputs[which].data + from, bytes);
    }
    return NULL;
}

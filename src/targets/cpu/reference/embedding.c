#include "targets/cpu/kernel.h"

am_status am_reference_embedding(const am_kernel_call *call)
{
    const am_tensor *weight = &call->inputs[0], *ids = &call->inputs[1], *y = &call->outputs[0];
    int64_t count = am_shape_count(&ids->shape), C = weight->shape.dims[1], row;
    for (int64_t i = 0; i < count; i++) {
        AM_TRY(am_read_index(ids, i, weight->shape.dims[0], &row));
        am_convert(y->dtype, (char *)y->data + (size_t)(i * C) * am_dtype_bytes(y->dtype), weight->dtype,
                   (const char *)weight->data + (size_t)(row * C) * am_dtype_bytes(weight->dtype), C);
    }
    return NULL;
}

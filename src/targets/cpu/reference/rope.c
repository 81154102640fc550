#include "targets/cpu/kernel.h"

#include <string.h>

static void rotate(const am_kernel_call *call, int64_t head_at, int64_t table_at, int64_t half)
{
    const am_tensor *x = &call->inputs[0], *cos = &call->inputs[1], *sin = &call->inputs[2], *y = &call->outputs[0];
    bool interleaved = AM_ATTRIBUTES(am_rope_attributes, call)->interleaved;
    for (int64_t i = 0; i < half; i++) {
        int64_t first = head_at + (interleaved ? 2 * i : i), second = interleaved ? first + 1 : first + half;
        double a = am_load_real(x->dtype, x->data, first), b = am_load_real(x->dtype, x->data, second);
        double c = am_load_real(cos->dtype, cos->data, table_at + i),
               s = am_load_real(sin->dtype, sin->data, table_at + i);
        am_store_real(y->dtype, y->data, first, a * c - b * s);
        am_store_real(y->dtype, y->data, second, b * c + a * s);
    }
}

am_status am_reference_rope(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    const am_shape *s = &x->shape, *table = &call->inputs[1].shape;
    size_t bytes = am_tensor_bytes(x->dtype, s);
    if (bytes) memcpy(y->data, x->data, bytes);
    for (int64_t row = 0; row < s->dims[0] * s->dims[1]; row++) {
        int64_t table_row = table->dims[0] == 1 ? row % s->dims[1] : row;
        for (int64_t h = 0; h < s->dims[2]; h++)
            rotate(call, (row * s->dims[2] + h) * s->dims[3], table_row * table->dims[2], table->dims[2]);
    }
    return NULL;
}

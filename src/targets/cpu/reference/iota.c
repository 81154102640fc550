#include "targets/cpu/kernel.h"

am_status am_reference_iota(const am_kernel_call *call)
{
    const am_iota_attributes *a = AM_ATTRIBUTES(am_iota_attributes, call);
    const am_tensor *y = &call->outputs[0];
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w))
        am_store_real(y->dtype, y->data, w.flat, a->start + a->step * (double)w.index[a->axis]);
    return NULL;
}

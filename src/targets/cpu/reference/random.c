#include "base/prng.h"
#include "targets/cpu/kernel.h"

am_status am_reference_random(const am_kernel_call *call)
{
    const am_random_attributes *a = AM_ATTRIBUTES(am_random_attributes, call);
    float *y = call->outputs[0].data;
    int64_t count = am_shape_count(&a->shape);
    uint64_t seed = (uint64_t)a->seed;
    for (int64_t i = 0; i < count; i++) {
        if (a->normal) y[i] = (float)am_normal_icdf(((double)(am_splitmix(seed, (uint64_t)i) >> 11) + 0.5) * 0x1p-53);
        else y[i] = (float)am_uniform(seed, (uint64_t)i);
    }
    return NULL;
}

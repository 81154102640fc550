#include "targets/cpu/kernel.h"

am_walk am_walk_begin(const am_shape *shape)
{
    return (am_walk){.shape = shape, .count = am_shape_count(shape)};
}

bool am_walk_more(const am_walk *walk)
{
    return walk->flat < walk->count;
}

void am_walk_next(am_walk *walk)
{
    walk->flat++;
    for (int i = walk->shape->rank - 1; i >= 0; i--) {
        if (++walk->index[i] < walk->shape->dims[i]) return;
        walk->index[i] = 0;
    }
}

int64_t am_walk_offset(const am_walk *walk, const int64_t strides[AM_RANK_LIMIT])
{
    int64_t offset = 0;
    for (int i = 0; i < walk->shape->rank; i++) offset += walk->index[i] * strides[i];
    return offset;
}

am_status am_read_index(const am_tensor *indices, int64_t i, int64_t size, int64_t *out)
{
    *out = am_load_int(indices->dtype, indices->data, i);
    if (*out >= 0 && *out < size) return NULL;
    return am_error(AM_OUT_OF_RANGE, "index %lld at place %lld is outside of 0..%lld", (long long)*out, (long long)i,
                    (long long)size - 1);
}

#include "models/blocks/blocks.h"

am_value am_split_blocks(am_builder *b, am_value x, int64_t L)
{
    am_shape old = am_shape_of_value(b, x), shape = {.rank = old.rank + 1};
    int64_t n = (old.dims[1] + L - 1) / L;
    for (int i = 0; i < old.rank; i++) shape.dims[i + (i > 1)] = old.dims[i];
    shape.dims[1] = n, shape.dims[2] = L;
    return am_reshape(b, am_pad_zero(b, x, 1, 0, n * L - old.dims[1]), shape);
}

am_value am_block_windows(am_builder *b, am_value x)
{
    am_value parts[3];
    int64_t n = am_dim(b, x, 1);
    for (int i = 0; i < 3; i++) parts[i] = am_slice(b, x, 1, i, n - 2 + i);
    return am_concat(b, parts, 3, 2);
}

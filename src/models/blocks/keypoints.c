#include "models/blocks/keypoints.h"

am_value am_flip_keypoints(am_builder *b, am_value x, am_value pairs)
{
    am_scatter_attributes set = {.axis = 0, .fn = AM_SCATTER_SET};
    am_value left = am_index(b, pairs, 1, 0), right = am_index(b, pairs, 1, 1);
    am_value from = am_iota(b, AM_I32, am_shape_of(am_dim(b, x, 1)), 0, 0, 1);
    from = am_scatter(b, am_scatter(b, from, left, right, &set), right, left, &set);
    return am_slice_step(b, am_gather(b, x, from, 1, false), 3, -1, -1 - am_dim(b, x, 3), -1);
}

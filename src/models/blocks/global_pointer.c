#include "models/blocks/global_pointer.h"

#include "models/blocks/layers.h"

#include <math.h>

static const double NOT_BEHIND = -1e4;

am_value am_global_pointer(am_builder *b, const char *name, am_value x, const am_config *c)
{
    int64_t D = am_config_size(c, "global_pointer_head_size", 64), N = am_dim(b, x, 1);
    am_scope(b, "%s", name);
    x = am_linear(b, "dense", x, 2 * D, AM_BIAS);
    am_end_scope(b);
    am_value scores = am_matmul(b, am_slice(b, x, 2, 0, D), am_slice(b, x, 2, D, 2 * D), false, true);
    scores = am_mul_number(b, scores, 1 / sqrt((double)D));
    am_value rows = am_iota(b, AM_I32, am_shape_of(N, N), 0, 0, 1),
             columns = am_iota(b, AM_I32, am_shape_of(N, N), 1, 0, 1);
    return am_select(b, am_binary(b, AM_GREATER, columns, rows), scores, am_scalar(b, AM_F32, NOT_BEHIND));
}

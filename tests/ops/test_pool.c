#include "op_test.h"

static void ops_pool__agrees_on_odd_sizes(void **state)
{
    for (int fn = AM_POOL_MAX; fn <= AM_POOL_AVERAGE; fn++)
        for (int flags = 0; flags < 4; flags++) {
            am_pool_attributes a = {.fn = fn,
                                    .kernel = am_shape_of(3, 3),
                                    .stride = am_shape_of(2, 2),
                                    .padding_before = am_shape_of(1, 1),
                                    .padding_after = am_shape_of(1, 1),
                                    .ceil_mode = flags & 1,
                                    .count_padding = flags >> 1};
            op_test_compare_floats(AM_OP_POOL, &a, OP_INPUTS(OP_F32(2, 5, 17, 24)));
            a = (am_pool_attributes){.fn = fn, .adaptive = am_shape_of(3)};
            op_test_compare_floats(AM_OP_POOL, &a, OP_INPUTS(OP_F32(2, 5, 17)));
        }
}

static void ops_pool__refuses_what_does_not_fit(void **state)
{
    am_pool_attributes a = {.kernel = am_shape_of(4)};
    op_test_refused(AM_OP_POOL, &a, "a window of 4 elements does not fit into 3", OP_INPUTS(OP_F32(1, 1, 3)));
    op_test_refused(AM_OP_POOL, &a, "a kernel of 1 sizes for 2 spatial dimensions", OP_INPUTS(OP_F32(1, 1, 5, 5)));
    op_test_refused(AM_OP_POOL, &a, "0 spatial dimensions", OP_INPUTS(OP_F32(1, 5)));
    op_test_refused(AM_OP_POOL, &a, "float type, found i32", OP_INPUTS(OP_INDEX(3, 1, 1, 5)));
    a.kernel = am_shape_of(0);
    op_test_refused(AM_OP_POOL, &a, "kernel 0 is not in 1..2^31", OP_INPUTS(OP_F32(1, 1, 5)));
    a = (am_pool_attributes){.adaptive = am_shape_of(2)};
    op_test_refused(AM_OP_POOL, &a, "pooling 0 elements into 2", OP_INPUTS(OP_F32(1, 1, 0)));
    op_test_refused(AM_OP_POOL, &a, "1 output sizes for 2 spatial dimensions", OP_INPUTS(OP_F32(1, 1, 3, 3)));
    a.adaptive = am_shape_of(0);
    op_test_refused(AM_OP_POOL, &a, "into 0", OP_INPUTS(OP_F32(1, 1, 3)));
}

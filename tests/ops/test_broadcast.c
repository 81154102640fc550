#include "op_test.h"

static void ops_broadcast__repeats_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(3, 37, 65)}, OP_INPUTS(OP_F32(37, 1)));
    op_test_compare_floats(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(9, 130)}, OP_INPUTS(OP_F32(130)));
}

static void ops_broadcast__refuses_sizes_that_do_not_fit(void **state)
{
    op_test_refused(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(4, 3)},
                    "input 0 must broadcast to [4, 3], found shape [2, 3]", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(3)}, "must broadcast", OP_INPUTS(OP_F32(1, 3)));
    op_test_refused(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(1)}, "must broadcast", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_BROADCAST, &(am_shape_attributes){am_shape_of(-1, 3)}, "no shape", OP_INPUTS(OP_F32(1, 3)));
}

#include "op_test.h"

static void ops_permute__moves_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_F32(67, 131)));
    op_test_compare_floats(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, 2, 1, 3)},
                           OP_INPUTS(OP_F32(2, 33, 5, 17)));
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(2, 1, 0)}, OP_INPUTS(OP_INDEX(1000, 9, 3, 41)));
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_BOOL(19, 70)));
}

static void ops_permute__keeps_special_numbers(void **state)
{
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_SPECIAL(AM_F32, 5, 9)));
}

static void ops_permute__swaps_two_axes(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 1, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_transpose(b, x, 0, -1), AM_F32, am_shape_of(3, 1, 2), 1, 4, 2, 5, 3, 6);
}

static void ops_permute__refuses_what_is_no_permutation(void **state)
{
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0)}, "an order of 1 axes for rank 2",
                    OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 1)},
                    "axis 1, which is no axis or named twice", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, 2)}, "axis 2", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, -1)}, "axis -1", OP_INPUTS(OP_F32(2, 3)));
}

#include "op_test.h"

static void ops_norm__agrees_on_odd_sizes(void **state)
{
    am_norm_attributes a = {.kind = AM_NORM_LAYER, .eps = 1e-5};
    op_test_compare_floats(AM_OP_NORM, &a, OP_INPUTS(OP_F32(3, 5, 131), OP_F32(131), OP_F32(131)));
    a = (am_norm_attributes){.kind = AM_NORM_RMS, .eps = 1e-6, .weight_offset = 1};
    op_test_compare_floats(AM_OP_NORM, &a, OP_INPUTS(OP_F32(7, 131), OP_F32(131)));
    op_test_compare(AM_OP_NORM, &a, OP_INPUTS(OP_F32(7, 33), OP_OF(AM_BF16, 33)));
    a = (am_norm_attributes){.kind = AM_NORM_LAYER, .eps = 1e-5};
    op_test_compare(AM_OP_NORM, &a, OP_INPUTS(OP_F32(7, 33), OP_OF(AM_F16, 33), OP_OF(AM_BF16, 33)));
    a = (am_norm_attributes){.kind = AM_NORM_GROUP, .eps = 1e-5, .groups = 3};
    op_test_compare_floats(AM_OP_NORM, &a, OP_INPUTS(OP_F32(2, 9, 7, 5), OP_F32(9), OP_F32(9)));
    a = (am_norm_attributes){.kind = AM_NORM_BATCH, .eps = 1e-5};
    op_test_input variance = {.dtype = AM_F32, .shape = am_shape_of(9), .low = 0.5, .high = 2};
    op_test_compare_floats(AM_OP_NORM, &a, OP_INPUTS(OP_F32(2, 9, 7, 5), OP_F32(9), OP_F32(9), OP_F32(9), variance));
}

/* the mean is taken off before squares are summed */
static void ops_norm__is_exact_far_from_zero(void **state)
{
    am_norm_attributes a = {.kind = AM_NORM_LAYER, .eps = 1e-5};
    op_test_input x = {.dtype = AM_F32, .shape = am_shape_of(3, 64), .low = 16, .high = 20};
    op_test_compare(AM_OP_NORM, &a, OP_INPUTS(x, OP_F32(64), OP_F32(64)));
}

static void ops_norm__takes_constant_rows(void **state)
{
    am_builder *b = op_test_builder();
    am_norm_attributes a = {.kind = AM_NORM_LAYER, .eps = 1e-5};
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 5, 5, 5, 0, 0, 0);
    OP_EXPECT(b, am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &a), AM_F32, am_shape_of(2, 3), 0, 0, 0, 0, 0, 0);
}

static void ops_norm__refuses_what_does_not_fit(void **state)
{
    am_norm_attributes a = {.kind = AM_NORM_LAYER, .eps = 1e-5};
    op_test_refused(AM_OP_NORM, &a, "input 1 must have shape [3], found [2]", OP_INPUTS(OP_F32(2, 3), OP_F32(2)));
    op_test_refused(AM_OP_NORM, &a, "a tensor of rank 0 has no channels", OP_INPUTS(OP_SCALAR(AM_F32)));
    op_test_refused(AM_OP_NORM, &a, "float type, found i32", OP_INPUTS(OP_INDEX(3, 2, 3)));
    a.kind = AM_NORM_BATCH;
    op_test_refused(AM_OP_NORM, &a, "batch norm needs mean and variance", OP_INPUTS(OP_F32(2, 3), OP_F32(3)));
    op_test_refused(AM_OP_NORM, &a, "a tensor of rank 1 has no channels", OP_INPUTS(OP_F32(3)));
    a.kind = AM_NORM_GROUP;
    op_test_refused(AM_OP_NORM, &a, "3 channels in 0 groups", OP_INPUTS(OP_F32(2, 3)));
    a.groups = 2;
    op_test_refused(AM_OP_NORM, &a, "3 channels in 2 groups", OP_INPUTS(OP_F32(2, 3)));
}

#include "op_test.h"

static void ops_gather__agrees_on_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_GATHER, &(am_gather_attributes){.axis = 0},
                           OP_INPUTS(OP_F32(33, 67), OP_INDEX(33, 5, 9)));
    op_test_compare_floats(AM_OP_GATHER, &(am_gather_attributes){.axis = 1},
                           OP_INPUTS(OP_F32(3, 33, 7), OP_INDEX(33, 40)));
    op_test_compare_floats(AM_OP_GATHER, &(am_gather_attributes){.axis = 1, .elementwise = true},
                           OP_INPUTS(OP_F32(9, 33), OP_INDEX(33, 9, 50)));
    op_test_compare(AM_OP_GATHER, &(am_gather_attributes){.axis = 1},
                    OP_INPUTS(OP_SPECIAL(AM_F32, 3, 9), OP_INDEX(9, 4)));
    op_test_compare(AM_OP_GATHER, &(am_gather_attributes){.axis = 0}, OP_INPUTS(OP_F32(0, 3), OP_INDEX(1, 0)));
}

static void expect_out_of_range(bool elementwise, am_dtype dtype, double index, const char *part)
{
    const am_gather_attributes a = {.axis = 1, .elementwise = elementwise};
    op_test_input indices = {.dtype = dtype, .shape = am_shape_of(1, 1), .low = index, .high = index};
    op_test_run_fails(AM_OP_GATHER, &a, AM_OUT_OF_RANGE, part, OP_INPUTS(OP_F32(2, 3), indices));
}

static void ops_gather__names_indices_outside_of_the_axis(void **state)
{
    for (int elementwise = 0; elementwise < 2; elementwise++) {
        expect_out_of_range(elementwise, AM_I32, 3, "gather: index 3 at place 0 is outside of 0..2");
        expect_out_of_range(elementwise, AM_I32, -1, "index -1 at place 0");
        expect_out_of_range(elementwise, AM_I64, 9e18, "index 9000000000000000000");
    }
}

static void ops_gather__refuses_what_does_not_fit(void **state)
{
    const am_gather_attributes a = {.axis = 1, .elementwise = true};
    op_test_refused(AM_OP_GATHER, &a, "indices of shape [3, 1] for a tensor of shape [2, 3]",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 3, 1)));
    op_test_refused(AM_OP_GATHER, &a, "indices of shape [2] for", OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 2)));
    op_test_refused(AM_OP_GATHER, &(am_gather_attributes){.axis = 2}, "axis 2",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 2)));
    op_test_refused(AM_OP_GATHER, &(am_gather_attributes){.axis = 0}, "must hold indices (i32 or i64), found i16",
                    OP_INPUTS(OP_F32(2, 3), OP_OF(AM_I16, 2)));
    op_test_refused(AM_OP_GATHER, &(am_gather_attributes){.axis = 0}, "the result would have rank 9",
                    OP_INPUTS(OP_F32(2, 1, 1, 1, 1), OP_INDEX(2, 1, 1, 1, 1, 1)));
}

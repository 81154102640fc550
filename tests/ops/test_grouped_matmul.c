#include "op_test.h"

static void ops_grouped_matmul__agrees_on_odd_sizes(void **state)
{
    op_test_compare_floats(AM_OP_GROUPED_MATMUL, NULL,
                           OP_INPUTS(OP_F32(7, 37), OP_INDEX(5, 7, 3), OP_F32(5, 19, 37), OP_F32(5, 19)));
    op_test_compare_floats(AM_OP_GROUPED_MATMUL, NULL,
                           OP_INPUTS(OP_F32(7, 3, 37), OP_INDEX(5, 7, 3), OP_F32(5, 19, 37)));
    op_test_compare(AM_OP_GROUPED_MATMUL, NULL,
                    OP_INPUTS(OP_F32(7, 37), OP_INDEX(5, 7, 3), OP_OF(AM_BF16, 5, 19, 37), OP_OF(AM_BF16, 5, 19)));
    op_test_compare_floats(AM_OP_GROUPED_MATMUL, NULL, OP_INPUTS(OP_F32(2, 3), OP_INDEX(4, 2, 0), OP_F32(4, 5, 3)));
}

static void ops_grouped_matmul__agrees_on_many_rows(void **state)
{
    op_test_compare_floats(AM_OP_GROUPED_MATMUL, NULL,
                           OP_INPUTS(OP_F32(151, 70), OP_INDEX(3, 151, 2), OP_F32(3, 130, 70), OP_F32(3, 130)));
    op_test_compare(AM_OP_GROUPED_MATMUL, NULL,
                    OP_INPUTS(OP_F32(100, 2, 33), OP_INDEX(2, 100, 2), OP_OF(AM_BF16, 70, 65, 33)));
    op_test_compare(AM_OP_GROUPED_MATMUL, NULL,
                    OP_INPUTS(OP_F32(9, 33), OP_INDEX(70, 9, 4), OP_OF(AM_F16, 70, 65, 33), OP_F32(70, 65)));
}

static void ops_grouped_matmul__names_experts_that_are_not_there(void **state)
{
    op_test_input experts = OP_INDEX(9, 1, 1);
    experts.low = 8;
    op_test_run_fails(AM_OP_GROUPED_MATMUL, NULL, AM_OUT_OF_RANGE, "index 8 at place 0 is outside of 0..3",
                      OP_INPUTS(OP_F32(1, 3), experts, OP_F32(4, 5, 3)));
    experts.low = experts.high = -1;
    op_test_run_fails(AM_OP_GROUPED_MATMUL, NULL, AM_OUT_OF_RANGE, "index -1",
                      OP_INPUTS(OP_F32(1, 3), experts, OP_F32(4, 5, 3)));
}

static void ops_grouped_matmul__refuses_what_does_not_fit(void **state)
{
    op_test_refused(AM_OP_GROUPED_MATMUL, NULL, "input 0 must have shape [2, 3], found [2, 4]",
                    OP_INPUTS(OP_F32(2, 4), OP_INDEX(4, 2, 1), OP_F32(4, 5, 3)));
    op_test_refused(AM_OP_GROUPED_MATMUL, NULL, "input 0 must have shape [2, 1, 3], found [2, 2, 3]",
                    OP_INPUTS(OP_F32(2, 2, 3), OP_INDEX(4, 2, 1), OP_F32(4, 5, 3)));
    op_test_refused(AM_OP_GROUPED_MATMUL, NULL, "input 3 must have shape [4, 5], found [5]",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(4, 2, 1), OP_F32(4, 5, 3), OP_F32(5)));
    op_test_refused(AM_OP_GROUPED_MATMUL, NULL, "input 1 must hold indices (i32 or i64), found f32",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(2, 1), OP_F32(4, 5, 3)));
    op_test_refused(AM_OP_GROUPED_MATMUL, NULL, "input 2 must have rank 3",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(4, 2, 1), OP_F32(5, 3)));
}

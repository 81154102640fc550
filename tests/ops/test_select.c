#include "op_test.h"

static void ops_select__broadcasts_all_three(void **state)
{
    op_test_compare_floats(AM_OP_SELECT, NULL, OP_INPUTS(OP_BOOL(1, 67), OP_F32(9, 1), OP_F32(9, 67)));
    op_test_compare_floats(AM_OP_SELECT, NULL, OP_INPUTS(OP_BOOL(9, 67), OP_F32(9, 67), OP_SCALAR(AM_F32)));
    op_test_compare_floats(AM_OP_SELECT, NULL,
                           OP_INPUTS(OP_BOOL(3, 5), OP_SPECIAL(AM_F32, 3, 5), OP_SPECIAL(AM_F32, 5)));
    op_test_compare(AM_OP_SELECT, NULL, OP_INPUTS(OP_BOOL(3, 5), OP_INDEX(9, 5), OP_INDEX(9, 3, 1)));
    op_test_compare(AM_OP_SELECT, NULL, OP_INPUTS(OP_BOOL(5), OP_BOOL(5), OP_BOOL(1)));
}

static void ops_select__refuses_what_does_not_fit(void **state)
{
    op_test_refused(AM_OP_SELECT, NULL, "input 0 must be bool, found i32",
                    OP_INPUTS(OP_INDEX(2, 3), OP_F32(3), OP_F32(3)));
    op_test_refused(AM_OP_SELECT, NULL, "input 2 must be f32, found i32",
                    OP_INPUTS(OP_BOOL(3), OP_F32(3), OP_INDEX(2, 3)));
    op_test_refused(AM_OP_SELECT, NULL, "shapes [2], [3] and [3] do not fit",
                    OP_INPUTS(OP_BOOL(2), OP_F32(3), OP_F32(3)));
}

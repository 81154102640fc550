#include "op_test.h"

static void ops_concat__joins_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_CONCAT, &(am_axis_attributes){1},
                           OP_INPUTS(OP_F32(9, 33), OP_F32(9, 1), OP_F32(9, 67)));
    op_test_compare_floats(AM_OP_CONCAT, &(am_axis_attributes){0},
                           OP_INPUTS(OP_SPECIAL(AM_F32, 3, 7), OP_F32(0, 7), OP_F32(5, 7)));
    op_test_compare(AM_OP_CONCAT, &(am_axis_attributes){0}, OP_INPUTS(OP_BOOL(3), OP_BOOL(4)));
}

static void ops_concat__gives_a_single_part_back(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2), 1, 2);
    assert_int_equal(am_concat(b, &x, 1, 0).id, x.id);
    am_builder_destroy(b);
}

static void ops_concat__refuses_parts_that_do_not_fit(void **state)
{
    op_test_refused(AM_OP_CONCAT, &(am_axis_attributes){0}, "input 1 must be f32, found i32",
                    OP_INPUTS(OP_F32(2), OP_INDEX(3, 2)));
    op_test_refused(AM_OP_CONCAT, &(am_axis_attributes){0}, "input 2 must have rank 1, found shape [2, 1]",
                    OP_INPUTS(OP_F32(2), OP_F32(1), OP_F32(2, 1)));
    op_test_refused(AM_OP_CONCAT, &(am_axis_attributes){1}, "input 1 must have shape [2, 4], found [3, 4]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(3, 4)));
    op_test_refused(AM_OP_CONCAT, &(am_axis_attributes){0}, "axis 0 is not one of the 0 dimensions",
                    OP_INPUTS(OP_SCALAR(AM_F32), OP_SCALAR(AM_F32)));
    am_builder *b = op_test_builder();
    am_concat(b, NULL, 0, 0);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "concat: nothing to join");
}

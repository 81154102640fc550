#include "op_test.h"

static void ops_reduce__agrees_on_large_tensors(void **state)
{
    for (int fn = AM_REDUCE_SUM; fn <= AM_REDUCE_MIN; fn++) {
        op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){fn, am_shape_of(1), true},
                               OP_INPUTS(OP_F32(9, 131)));
        op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){fn, am_shape_of(0), false},
                               OP_INPUTS(OP_F32(131, 9)));
        op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){fn, am_shape_of(0, 2), false},
                               OP_INPUTS(OP_F32(5, 7, 33)));
        op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){fn, am_shape_of(1, 2), true},
                               OP_INPUTS(OP_F32(3, 8, 8, 75)));
        op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){fn, am_shape_of(1), false},
                               OP_INPUTS(OP_F32(2, 1, 130)));
    }
    op_test_compare(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_ANY, am_shape_of(0, 1), false},
                    OP_INPUTS(OP_BOOL(3, 4)));
}

static void ops_reduce__lets_nan_and_infinity_through(void **state)
{
    op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_MAX, am_shape_of(1), false},
                           OP_INPUTS(OP_SPECIAL(AM_F32, 40, 3)));
    op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_MIN, am_shape_of(1), false},
                           OP_INPUTS(OP_SPECIAL(AM_F32, 40, 3)));
    op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_MAX, am_shape_of(0), false},
                           OP_INPUTS(OP_SPECIAL(AM_F32, 3, 40)));
    op_test_compare_floats(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_SUM, am_shape_of(0), false},
                           OP_INPUTS(OP_SPECIAL(AM_F32, 3, 40)));
}

static void ops_reduce__counts_axes_from_the_end(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(-2), false), AM_F32, am_shape_of(3), 5, 7, 9);
    b = op_test_builder();
    x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_reduce_last(b, AM_REDUCE_MAX, x), AM_F32, am_shape_of(2, 1), 3, 6);
    b = op_test_builder();
    x = OP_VALUES(b, AM_I64, am_shape_of(2, 1), INT32_MAX, INT32_MAX);
    OP_EXPECT(b, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(0, 1), false), AM_I64, (am_shape){0}, 4294967294.0);
}

static void ops_reduce__refuses_what_has_no_result(void **state)
{
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_MAX, am_shape_of(1), false},
                    "max of nothing: axis 1 is empty", OP_INPUTS(OP_F32(2, 0)));
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_SUM, am_shape_of(1, 0), false},
                    "sorted, unique and below rank 2", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_SUM, am_shape_of(2), false}, "below rank 2",
                    OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_MEAN, am_shape_of(0), false},
                    "mean is not defined for i32", OP_INPUTS(OP_INDEX(3, 2)));
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_ANY, am_shape_of(0), false},
                    "any is not defined for f32", OP_INPUTS(OP_F32(2)));
    op_test_refused(AM_OP_REDUCE, &(am_reduce_attributes){AM_REDUCE_SUM, am_shape_of(0), false},
                    "sum is not defined for bool", OP_INPUTS(OP_BOOL(2)));
}

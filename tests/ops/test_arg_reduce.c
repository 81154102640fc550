#include "op_test.h"

static void ops_arg_reduce__agrees_on_large_tensors(void **state)
{
    for (int is_min = 0; is_min < 2; is_min++) {
        op_test_compare_floats(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){is_min, 1}, OP_INPUTS(OP_F32(7, 301)));
        op_test_compare_floats(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){is_min, 0}, OP_INPUTS(OP_F32(41, 7)));
        op_test_compare_floats(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){is_min, 1},
                               OP_INPUTS(OP_SPECIAL(AM_F32, 40, 5)));
        op_test_compare(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){is_min, 0}, OP_INPUTS(OP_BOOL(5, 3)));
    }
}

static void ops_arg_reduce__drops_the_axis(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I64, am_shape_of(4), 3, 9007199254740992.0, -9007199254740992.0, 9007199254740992.0);
    OP_EXPECT(b, am_arg_reduce(b, x, -1, false), AM_I32, (am_shape){0}, 1);
    b = op_test_builder();
    x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 1, 5, 2, NAN, 3, NAN);
    OP_EXPECT(b, am_arg_reduce(b, x, 1, true), AM_I32, am_shape_of(2), 0, 0);
}

static void ops_arg_reduce__refuses_an_empty_axis(void **state)
{
    op_test_refused(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){false, 1},
                    "takes 1..2^31 elements along axis 1, found 0", OP_INPUTS(OP_F32(2, 0)));
    op_test_refused(AM_OP_ARG_REDUCE, &(am_arg_reduce_attributes){false, 0}, "axis 0 is not one of the 0",
                    OP_INPUTS(OP_SCALAR(AM_F32)));
}

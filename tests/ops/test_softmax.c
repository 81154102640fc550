#include "op_test.h"

static void ops_softmax__agrees_on_odd_sizes(void **state)
{
    for (int log = 0; log < 2; log++) {
        op_test_compare_floats(AM_OP_SOFTMAX, &(am_softmax_attributes){1, log}, OP_INPUTS(OP_F32(9, 131)));
        op_test_compare_floats(AM_OP_SOFTMAX, &(am_softmax_attributes){0, log}, OP_INPUTS(OP_F32(131, 5)));
    }
}

static void ops_softmax__does_not_overflow(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(4), 3e38, 3e38, -3e38, -INFINITY);
    OP_EXPECT(b, am_softmax(b, x, -1), AM_F32, am_shape_of(4), 0.5, 0.5, 0, 0);
    op_test_input large = {.dtype = AM_F32, .shape = am_shape_of(3, 33), .low = -1e4, .high = 1e4};
    op_test_compare(AM_OP_SOFTMAX, &(am_softmax_attributes){1, false}, OP_INPUTS(large));
    op_test_compare(AM_OP_SOFTMAX, &(am_softmax_attributes){1, true}, OP_INPUTS(large));
}

static void ops_softmax__refuses_what_has_no_axis(void **state)
{
    op_test_refused(AM_OP_SOFTMAX, &(am_softmax_attributes){1, false}, "axis 1 is not one of the 1 dimensions",
                    OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_SOFTMAX, &(am_softmax_attributes){0, false}, "float type, found i32",
                    OP_INPUTS(OP_INDEX(3, 2)));
}

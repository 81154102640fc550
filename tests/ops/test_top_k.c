#include "op_test.h"

static void ops_top_k__agrees_on_large_tensors(void **state)
{
    for (int smallest = 0; smallest < 2; smallest++) {
        op_test_compare_floats(AM_OP_TOP_K, &(am_top_k_attributes){1, 9, smallest}, OP_INPUTS(OP_F32(3, 1025)));
        op_test_compare(AM_OP_TOP_K, &(am_top_k_attributes){0, 40, smallest}, OP_INPUTS(OP_INDEX(7, 301, 2)));
        op_test_compare_floats(AM_OP_TOP_K, &(am_top_k_attributes){1, 31, smallest},
                               OP_INPUTS(OP_SPECIAL(AM_F32, 3, 31)));
    }
}

static void ops_top_k__prefers_the_lower_of_equals(void **state)
{
    am_value indices;
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_BOOL, am_shape_of(5), 0, 1, 0, 1, 1);
    am_top_k(b, x, -1, 4, false, &indices);
    OP_EXPECT(b, indices, AM_I32, am_shape_of(4), 1, 3, 4, 0);
}

static void ops_top_k__refuses_more_than_there_are(void **state)
{
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 0, .k = 4},
                    "cannot take 4 of the 3 elements along axis 0", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 0, .k = -1}, "cannot take -1", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = -1, .k = 1}, "axis -1", OP_INPUTS(OP_F32(3)));
}

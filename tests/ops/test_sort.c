#include "op_test.h"

static void ops_sort__agrees_on_large_tensors(void **state)
{
    for (int descending = 0; descending < 2; descending++) {
        op_test_compare_floats(AM_OP_SORT, &(am_sort_attributes){1, descending}, OP_INPUTS(OP_F32(3, 1025)));
        op_test_compare(AM_OP_SORT, &(am_sort_attributes){0, descending},
                        OP_INPUTS(OP_INDEX(7, 301, 2))); /* many equals */
        op_test_compare_floats(AM_OP_SORT, &(am_sort_attributes){1, descending}, OP_INPUTS(OP_SPECIAL(AM_F32, 3, 31)));
    }
}

static void ops_sort__gives_values_and_places(void **state)
{
    am_value indices;
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(4), 2, NAN, 1, 2);
    am_value y = am_sort(b, x, -1, true, &indices);
    OP_EXPECT(b, am_concat2(b, am_cast(b, indices, AM_F32), y, 0), AM_F32, am_shape_of(8), 1, 0, 3, 2, NAN, 2, 2, 1);
}

static void ops_sort__refuses_an_axis_that_is_not_there(void **state)
{
    op_test_refused(AM_OP_SORT, &(am_sort_attributes){.axis = 1}, "axis 1 is not one of the 1", OP_INPUTS(OP_F32(3)));
}

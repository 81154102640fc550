#include "op_test.h"

static void ops_search_sorted__finds_places_in_one_row(void **state)
{
    am_builder *b = op_test_builder();
    am_value row = OP_VALUES(b, AM_F32, am_shape_of(3), 1, 2, 2),
             values = OP_VALUES(b, AM_F32, am_shape_of(2, 2), 0, 2, 1.5, NAN);
    OP_EXPECT(b, am_search_sorted(b, row, values, false), AM_I32, am_shape_of(2, 2), 0, 1, 1, 3);
}

/* a row that is not sorted must not lead outside of it */
static void ops_search_sorted__agrees_whatever_the_order(void **state)
{
    for (int right = 0; right < 2; right++) {
        op_test_compare_floats(AM_OP_SEARCH_SORTED, &(am_search_sorted_attributes){right},
                               OP_INPUTS(OP_F32(33), OP_F32(5, 7)));
        op_test_compare_floats(AM_OP_SEARCH_SORTED, &(am_search_sorted_attributes){right},
                               OP_INPUTS(OP_SPECIAL(AM_F32, 3, 33), OP_SPECIAL(AM_F32, 3, 9)));
    }
}

static void ops_search_sorted__refuses_rows_that_do_not_fit(void **state)
{
    const am_search_sorted_attributes a = {false};
    op_test_refused(AM_OP_SEARCH_SORTED, &a, "input 1 must be f32, found i32", OP_INPUTS(OP_F32(3), OP_INDEX(2, 3)));
    op_test_refused(AM_OP_SEARCH_SORTED, &a, "found a scalar", OP_INPUTS(OP_SCALAR(AM_F32), OP_F32(3)));
    op_test_refused(AM_OP_SEARCH_SORTED, &a, "input 1 must have rank 2", OP_INPUTS(OP_F32(2, 3), OP_F32(2)));
    op_test_refused(AM_OP_SEARCH_SORTED, &a, "input 0 must have shape [4, 3], found [2, 3]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4, 5)));
}

#include "op_test.h"

static void ops_unfold__agrees_on_odd_sizes(void **state)
{
    am_unfold_attributes a = {.kernel = am_shape_of(3, 2),
                              .stride = am_shape_of(2, 1),
                              .dilation = am_shape_of(1, 3),
                              .padding_before = am_shape_of(2, 0),
                              .padding_after = am_shape_of(0, 1)};
    op_test_compare_floats(AM_OP_UNFOLD, &a, OP_INPUTS(OP_F32(2, 3, 9, 13)));
    op_test_compare(AM_OP_UNFOLD, &a, OP_INPUTS(OP_BOOL(1, 2, 5, 7)));
    a = (am_unfold_attributes){.kernel = am_shape_of(2, 1, 2)};
    op_test_compare(AM_OP_UNFOLD, &a, OP_INPUTS(OP_SPECIAL(AM_F32, 1, 2, 3, 2, 3)));
}

static void ops_unfold__refuses_what_does_not_fit(void **state)
{
    am_unfold_attributes a = {.kernel = am_shape_of(4)};
    op_test_refused(AM_OP_UNFOLD, &a, "a window of 4 elements does not fit into 3", OP_INPUTS(OP_F32(1, 1, 3)));
    op_test_refused(AM_OP_UNFOLD, &a, "a list of 1 numbers for 2 spatial dimensions", OP_INPUTS(OP_F32(1, 1, 5, 5)));
    op_test_refused(AM_OP_UNFOLD, &a, "-1 spatial dimensions", OP_INPUTS(OP_F32(5)));
    a.kernel.rank = 0;
    op_test_refused(AM_OP_UNFOLD, &a, "no kernel sizes", OP_INPUTS(OP_F32(1, 1, 3)));
}

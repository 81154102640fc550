#include "op_test.h"

static void ops_fold__sums_overlaps(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I32, am_shape_of(1, 2, 3), 1, 2, 3, 10, 20, 30);
    am_unfold_attributes a = {.kernel = am_shape_of(2), .output = am_shape_of(4)};
    OP_EXPECT(b, am_fold(b, x, &a), AM_I32, am_shape_of(1, 1, 4), 1, 12, 23, 30);
}

static void ops_fold__undoes_unfold_where_nothing_overlaps(void **state)
{
    am_builder *b = op_test_builder();
    am_unfold_attributes a = {.kernel = am_shape_of(1, 2), .stride = am_shape_of(1, 2), .output = am_shape_of(2, 4)};
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
    OP_EXPECT(b, am_fold(b, am_unfold(b, x, &a), &a), AM_F32, am_shape_of(1, 1, 2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
}

static void ops_fold__agrees_on_odd_sizes(void **state)
{
    am_unfold_attributes a = {.kernel = am_shape_of(3, 2),
                              .stride = am_shape_of(2, 1),
                              .padding_before = am_shape_of(1, 0),
                              .padding_after = am_shape_of(1, 0),
                              .output = am_shape_of(9, 13)};
    op_test_compare_floats(AM_OP_FOLD, &a, OP_INPUTS(OP_F32(2, 3 * 6, 5 * 12)));
}

static void ops_fold__refuses_what_does_not_fit(void **state)
{
    am_unfold_attributes a = {.kernel = am_shape_of(2), .output = am_shape_of(4)};
    op_test_refused(AM_OP_FOLD, &a, "input 0 must be [B, C * 2, 3], found [1, 3, 3]", OP_INPUTS(OP_F32(1, 3, 3)));
    op_test_refused(AM_OP_FOLD, &a, "input 0 must be [B, C * 2, 3], found [1, 2, 4]", OP_INPUTS(OP_F32(1, 2, 4)));
    op_test_refused(AM_OP_FOLD, &a, "input 0 must have rank 3", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_FOLD, &a, "not defined for bool", OP_INPUTS(OP_BOOL(1, 2, 3)));
    a.output = am_shape_of(-4);
    op_test_refused(AM_OP_FOLD, &a, "output size -4", OP_INPUTS(OP_F32(1, 2, 3)));
    a.output = (am_shape){0};
    op_test_refused(AM_OP_FOLD, &a, "0 spatial dimensions", OP_INPUTS(OP_F32(1, 2, 3)));
}

#include "op_test.h"

static void ops_permute__moves_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_F32(67, 131)));
    op_test_compare_floats(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, 2, 1, 3)},
                           OP_INPUTS(OP_F32(2, 33, 5, 17)));
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(2, 1, 0)}, OP_INPUTS(OP_INDEX(1000, 9, 3, 41)));
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_BOOL(19, 70)));
}

/* Matrices among other axes, of every order, with sides that are no whole tiles. */
static void ops_permute__turns_matrices_among_other_axes(void **state)
{
    static const int orders[][4] = {{0, 1, 3, 2}, {0, 2, 3, 1}, {0, 3, 1, 2}, {1, 0, 3, 2}, {3, 2, 1, 0},
                                    {3, 0, 2, 1}, {2, 3, 0, 1}, {1, 3, 0, 2}, {3, 0, 1, 2}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        const int *o = orders[i];
        const am_permute_attributes order = {am_shape_of(o[0], o[1], o[2], o[3])};
        op_test_compare_floats(AM_OP_PERMUTE, &order, OP_INPUTS(OP_F32(3, 5, 34, 67)));
        op_test_compare(AM_OP_PERMUTE, &order, OP_INPUTS(OP_INDEX(1000, 2, 70, 1, 33)));
        op_test_compare(AM_OP_PERMUTE, &order, OP_INPUTS(OP_F32(9, 3, 4, 7)));
    }
}

static void ops_permute__keeps_special_numbers(void **state)
{
    op_test_compare(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 0)}, OP_INPUTS(OP_SPECIAL(AM_F32, 5, 9)));
}

static void ops_permute__swaps_two_axes(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 1, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_transpose(b, x, 0, -1), AM_F32, am_shape_of(3, 1, 2), 1, 4, 2, 5, 3, 6);
}

static void ops_permute__refuses_what_is_no_permutation(void **state)
{
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0)}, "an order of 1 axes for rank 2",
                    OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(1, 1)},
                    "axis 1, which is no axis or named twice", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, 2)}, "axis 2", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_PERMUTE, &(am_permute_attributes){am_shape_of(0, -1)}, "axis -1", OP_INPUTS(OP_F32(2, 3)));
}

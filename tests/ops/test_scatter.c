#include "op_test.h"

static void ops_scatter__agrees_on_large_tensors(void **state)
{
    for (int fn = AM_SCATTER_SET; fn <= AM_SCATTER_MAX; fn++) {
        am_scatter_attributes a = {.axis = 0, .fn = fn};
        op_test_compare(AM_OP_SCATTER, &a, OP_INPUTS(OP_F32(33, 67), OP_INDEX(33, 50), OP_F32(50, 67)));
        op_test_compare(AM_OP_SCATTER, &a, OP_INPUTS(OP_INDEX(9, 33), OP_INDEX(33, 50), OP_INDEX(9, 50)));
        a = (am_scatter_attributes){.axis = 1, .fn = fn, .elementwise = true};
        op_test_compare(AM_OP_SCATTER, &a, OP_INPUTS(OP_F32(9, 33), OP_INDEX(33, 8, 50), OP_F32(8, 50)));
    }
    op_test_compare_floats(AM_OP_SCATTER, &(am_scatter_attributes){.axis = 0},
                           OP_INPUTS(OP_F32(33, 7), OP_INDEX(33, 5), OP_F32(5, 7)));
    op_test_compare(AM_OP_SCATTER, &(am_scatter_attributes){.axis = 0},
                    OP_INPUTS(OP_BOOL(9), OP_INDEX(9, 5), OP_BOOL(5)));
}

static void ops_scatter__leaves_its_input_alone(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = am_add_number(b, OP_VALUES(b, AM_F32, am_shape_of(3), 1, 2, 3), 0);
    am_value y = am_scatter(b, x, OP_VALUES(b, AM_I32, am_shape_of(1), 1), OP_VALUES(b, AM_F32, am_shape_of(1), 9),
                            &(am_scatter_attributes){.axis = -1});
    OP_EXPECT(b, am_concat2(b, x, y, 0), AM_F32, am_shape_of(6), 1, 2, 3, 1, 9, 3);
}

static void ops_scatter__names_indices_outside_of_the_axis(void **state)
{
    op_test_input index = OP_INDEX(0, 1);
    index.low = index.high = 3;
    op_test_run_fails(AM_OP_SCATTER, &(am_scatter_attributes){0}, AM_OUT_OF_RANGE,
                      "scatter: index 3 at place 0 is outside of 0..2", OP_INPUTS(OP_F32(3), index, OP_F32(1)));
    index.low = index.high = -1;
    op_test_run_fails(AM_OP_SCATTER, &(am_scatter_attributes){.elementwise = true}, AM_OUT_OF_RANGE, "index -1",
                      OP_INPUTS(OP_F32(3), index, OP_F32(1)));
}

static void ops_scatter__refuses_what_does_not_fit(void **state)
{
    am_scatter_attributes a = {.axis = 1};
    op_test_refused(AM_OP_SCATTER, &a, "input 2 must have shape [2, 4], found [2, 3]",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 4), OP_F32(2, 3)));
    op_test_refused(AM_OP_SCATTER, &a, "input 1 must have rank 1",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 2, 4), OP_F32(2, 4)));
    op_test_refused(AM_OP_SCATTER, &a, "input 2 must be f32, found f64",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 4), OP_OF(AM_F64, 2, 4)));
    a.elementwise = true;
    op_test_refused(AM_OP_SCATTER, &a, "dimension 0 of the indices is larger",
                    OP_INPUTS(OP_F32(2, 3), OP_INDEX(3, 3, 3), OP_F32(3, 3)));
    a = (am_scatter_attributes){.fn = AM_SCATTER_ADD};
    op_test_refused(AM_OP_SCATTER, &a, "only set is defined for bool",
                    OP_INPUTS(OP_BOOL(3), OP_INDEX(3, 1), OP_BOOL(1)));
}

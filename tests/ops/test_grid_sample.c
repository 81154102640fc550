#include "op_test.h"

static void ops_grid_sample__agrees_on_odd_sizes(void **state)
{
    static const int modes[] = {AM_RESIZE_NEAREST, AM_RESIZE_LINEAR, AM_RESIZE_CUBIC},
                     paddings[] = {AM_PAD_CONSTANT, AM_PAD_REPLICATE, AM_PAD_REFLECT};
    for (int i = 0; i < 18; i++) {
        const am_grid_sample_attributes a = {modes[i % 3], paddings[i / 3 % 3], i / 9};
        op_test_compare_floats(AM_OP_GRID_SAMPLE, &a, OP_INPUTS(OP_F32(2, 3, 9, 7), OP_F32(2, 5, 11, 2)));
        op_test_compare(AM_OP_GRID_SAMPLE, &a, OP_INPUTS(OP_F32(1, 2, 3, 4), OP_SPECIAL(AM_F32, 1, 5, 9, 2)));
        if (a.mode != AM_RESIZE_CUBIC)
            op_test_compare(AM_OP_GRID_SAMPLE, &a, OP_INPUTS(OP_F32(1, 2, 3, 4, 5), OP_F32(1, 2, 3, 4, 3)));
    }
}

static void ops_grid_sample__names_the_innermost_dimension_first(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 2, 3), 1, 2, 3, 4, 5, 6),
             grid = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 2, 2), 1, -1, 0, 0);
    am_grid_sample_attributes a = {.mode = AM_RESIZE_LINEAR, .align_corners = true};
    OP_EXPECT(b, am_grid_sample(b, x, grid, &a), AM_F32, am_shape_of(1, 1, 1, 2), 3, 3.5);
}

static void ops_grid_sample__refuses_what_does_not_fit(void **state)
{
    am_grid_sample_attributes a = {.mode = AM_RESIZE_LINEAR};
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "input 1 must have shape [2, 5, 5, 2], found [1, 5, 5, 2]",
                    OP_INPUTS(OP_F32(2, 3, 4, 4), OP_F32(1, 5, 5, 2)));
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "input 1 must have shape",
                    OP_INPUTS(OP_F32(2, 3, 4, 4), OP_F32(2, 5, 5, 3)));
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "rank 4 or 5, found rank 3", OP_INPUTS(OP_F32(2, 3, 4), OP_F32(2, 5, 1)));
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "spatial dimension 1 of input 0 is empty",
                    OP_INPUTS(OP_F32(2, 3, 4, 0), OP_F32(2, 5, 5, 2)));
    a.mode = AM_RESIZE_CUBIC;
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "rank 4, found rank 5",
                    OP_INPUTS(OP_F32(1, 1, 2, 2, 2), OP_F32(1, 2, 2, 2, 3)));
    a.mode = AM_RESIZE_AREA;
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "takes nearest, linear or cubic mode",
                    OP_INPUTS(OP_F32(2, 3, 4, 4), OP_F32(2, 5, 5, 2)));
    a = (am_grid_sample_attributes){.padding = AM_PAD_CIRCULAR};
    op_test_refused(AM_OP_GRID_SAMPLE, &a, "takes constant, reflect or replicate padding",
                    OP_INPUTS(OP_F32(2, 3, 4, 4), OP_F32(2, 5, 5, 2)));
}

#include "op_test.h"

static void expect_slice(int64_t start, int64_t stop, int64_t step, int count, const double *values)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(5), 0, 1, 2, 3, 4);
    op_test_expect(b, am_slice_step(b, x, 0, start, stop, step), AM_F32, am_shape_of(count), values);
}

static void ops_slice__follows_the_rules_of_python(void **state)
{
    expect_slice(1, 3, 1, 2, (const double[]){1, 2});
    expect_slice(-2, AM_SLICE_END, 1, 2, (const double[]){3, 4});
    expect_slice(0, -1, 2, 2, (const double[]){0, 2});
    expect_slice(-100, 100, 1, 5, (const double[]){0, 1, 2, 3, 4});
    expect_slice(-1, AM_SLICE_END, -1, 5, (const double[]){4, 3, 2, 1, 0});
    expect_slice(3, 0, -2, 2, (const double[]){3, 1});
    expect_slice(100, 1, -1, 3, (const double[]){4, 3, 2});
    expect_slice(3, 3, 1, 0, NULL);
    expect_slice(4, 2, 1, 0, NULL);
    expect_slice(9, AM_SLICE_END, 1, 0, NULL);
    expect_slice(1, AM_SLICE_END, 1000, 1, (const double[]){1});
}

static void ops_slice__takes_one_index(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I32, am_shape_of(2, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_concat2(b, am_index(b, x, 1, -1), am_index(b, x, 1, 0), 0), AM_I32, am_shape_of(4), 3, 6, 1, 4);
}

static void ops_slice__cuts_large_tensors(void **state)
{
    op_test_compare_floats(AM_OP_SLICE, &(am_slice_attributes){1, 5, 60, 1}, OP_INPUTS(OP_F32(31, 67)));
    op_test_compare_floats(AM_OP_SLICE, &(am_slice_attributes){0, 30, 11, -2}, OP_INPUTS(OP_F32(31, 67)));
    op_test_compare(AM_OP_SLICE, &(am_slice_attributes){1, 0, 3, 3}, OP_INPUTS(OP_SPECIAL(AM_F32, 3, 9, 5)));
}

static void ops_slice__refuses_what_leaves_the_axis(void **state)
{
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){1, 1, 3, 1}, "start 1, count 3, step 1 leave an axis of size 3",
                    OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){1, -1, 1, 1}, "leave an axis", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){1, 0, 1, 0}, "step 0", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){1, 1, 3, -1}, "step -1", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){1, 0, 2, INT64_MAX}, "leave an axis", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_SLICE, &(am_slice_attributes){2, 0, 1, 1}, "axis 2 is not one of the 2 dimensions",
                    OP_INPUTS(OP_F32(2, 3)));
    am_builder *b = op_test_builder();
    am_index(b, am_graph_input(b, "x", AM_F32, am_shape_of(2)), 0, 2);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "axis 0 has size 0");
}

#include "op_test.h"

static void ops_reshape__finds_the_missing_size(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_reshape(b, x, am_shape_of(3, -1)), AM_F32, am_shape_of(3, 2), 1, 2, 3, 4, 5, 6);
}

static void ops_reshape__gives_the_same_value_where_nothing_changes(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2), 1, 2);
    assert_int_equal(am_reshape(b, x, am_shape_of(2)).id, x.id);
    am_builder_destroy(b);
}

static void ops_reshape__adds_and_drops_dimensions(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 3), 1, 2, 3, 4, 5, 6);
    x = am_unsqueeze(b, am_unsqueeze(b, am_unsqueeze(b, x, 0), -1), 2); /* [1, 2, 1, 3, 1] */
    x = am_squeeze(b, am_squeeze(b, x, -1), 0);
    OP_EXPECT(b, x, AM_F32, am_shape_of(2, 1, 3), 1, 2, 3, 4, 5, 6);
}

static void ops_reshape__merges_neighbours(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I32, am_shape_of(1, 2, 1, 3), 1, 2, 3, 4, 5, 6);
    OP_EXPECT(b, am_flatten(b, x, 1, -2), AM_I32, am_shape_of(1, 2, 3), 1, 2, 3, 4, 5, 6);
}

static void ops_reshape__refuses_another_number_of_elements(void **state)
{
    op_test_refused(AM_OP_RESHAPE, &(am_shape_attributes){am_shape_of(5)}, "shape [2, 3] cannot become [5]",
                    OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_RESHAPE, &(am_shape_attributes){am_shape_of(-2, -3)}, "[-2, -3]", OP_INPUTS(OP_F32(2, 3)));
    am_builder *b = op_test_builder();
    am_reshape(b, am_graph_input(b, "x", AM_F32, am_shape_of(2, 3)), am_shape_of(4, -1));
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "reshape: shape [2, 3] cannot become");
    b = op_test_builder();
    am_reshape(b, am_graph_input(b, "x", AM_F32, am_shape_of(0, 3)), am_shape_of(0, -1));
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "cannot become"); /* any size would do */
}

static void ops_reshape__refuses_axes_that_are_not_there(void **state)
{
    am_builder *b = op_test_builder();
    am_squeeze(b, am_graph_input(b, "x", AM_F32, am_shape_of(2, 1)), 0);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "squeeze: axis 0 has size 2");
    b = op_test_builder();
    am_unsqueeze(b, am_graph_input(b, "x", AM_F32, am_shape_of(2)), 2);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "unsqueeze: axis 2 of a tensor of rank 1");
    b = op_test_builder();
    am_unsqueeze(b, am_graph_input(b, "x", AM_F32, am_shape_of(1, 1, 1, 1, 1, 1, 1, 1)), 0);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "rank 8");
    b = op_test_builder();
    am_flatten(b, am_graph_input(b, "x", AM_F32, am_shape_of(2, 1)), 0, 2);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "axis 2 of a tensor of rank 2");
}

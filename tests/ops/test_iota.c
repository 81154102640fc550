#include "op_test.h"

static void ops_iota__counts_along_an_axis_from_the_end(void **state)
{
    am_builder *b = op_test_builder();
    OP_EXPECT(b, am_iota(b, AM_I32, am_shape_of(2, 3), -2, 5, -2), AM_I32, am_shape_of(2, 3), 5, 5, 5, 3, 3, 3);
}

static void ops_iota__may_be_empty(void **state)
{
    am_builder *b = op_test_builder();
    OP_EXPECT(b, am_iota(b, AM_F32, am_shape_of(2, 0), 0, 5, 1), AM_F32, am_shape_of(2, 0), 0);
}

static void ops_iota__refuses_an_axis_that_is_not_there(void **state)
{
    am_iota_attributes a = {.dtype = AM_F32, .shape = am_shape_of(3), .axis = 1};
    op_test_refused(AM_OP_IOTA, &a, "axis 1 is not one of the 1 dimensions", NULL, 0);
    a = (am_iota_attributes){.dtype = AM_F32};
    op_test_refused(AM_OP_IOTA, &a, "axis 0 is not one of the 0 dimensions", NULL, 0);
    am_builder *b = op_test_builder();
    am_iota(b, AM_F32, am_shape_of(2, 2), 2, 0, 1);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, "iota: axis");
}

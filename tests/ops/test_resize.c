#include "op_test.h"

static void ops_resize__agrees_on_odd_sizes(void **state)
{
    for (int mode = AM_RESIZE_NEAREST; mode <= AM_RESIZE_AREA; mode++)
        for (int antialias = 0; antialias < 2; antialias++) {
            if (antialias && mode != AM_RESIZE_LINEAR && mode != AM_RESIZE_CUBIC) continue;
            am_resize_attributes a = {.size = am_shape_of(31, 9), .mode = mode, .antialias = antialias};
            op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(1, 3, 17, 23)));
        }
}

static void ops_resize__agrees_in_one_and_three_dimensions_and_on_long_lines(void **state)
{
    for (int mode = AM_RESIZE_NEAREST; mode <= AM_RESIZE_AREA; mode++) {
        am_resize_attributes a = {.size = am_shape_of(77), .mode = mode};
        op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(2, 3, 40)));
        op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(1, 1, 4097)));
        a.size = am_shape_of(3, 4096);
        op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(1, 2, 2, 4096)));
        if (mode == AM_RESIZE_CUBIC) continue;
        a.size = am_shape_of(5, 3, 8);
        op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(2, 2, 3, 4, 5)));
        a.size = am_shape_of(3, 4, 9);
        op_test_compare_floats(AM_OP_RESIZE, &a, OP_INPUTS(OP_F32(1, 2, 3, 4, 5)));
    }
}

/* weights sum to one at every edge */
static void ops_resize__keeps_constants(void **state)
{
    for (int mode = AM_RESIZE_NEAREST; mode <= AM_RESIZE_AREA; mode++)
        for (int flags = 0; flags < 4; flags++) {
            if (flags && mode != AM_RESIZE_LINEAR && mode != AM_RESIZE_CUBIC) continue;
            am_resize_attributes a = {
                .size = am_shape_of(5), .mode = mode, .antialias = flags & 1, .align_corners = flags >> 1};
            am_builder *b = op_test_builder();
            am_value x = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 7), 3, 3, 3, 3, 3, 3, 3);
            OP_EXPECT(b, am_resize(b, x, &a), AM_F32, am_shape_of(1, 1, 5), 3, 3, 3, 3, 3);
        }
}

static void ops_resize__refuses_what_a_mode_cannot_do(void **state)
{
    am_resize_attributes a = {.size = am_shape_of(2), .align_corners = true};
    op_test_refused(AM_OP_RESIZE, &a, "align_corners takes linear or cubic mode", OP_INPUTS(OP_F32(1, 1, 3)));
    a = (am_resize_attributes){.size = am_shape_of(2), .antialias = true, .mode = AM_RESIZE_AREA};
    op_test_refused(AM_OP_RESIZE, &a, "antialias takes linear or cubic mode", OP_INPUTS(OP_F32(1, 1, 3)));
    a = (am_resize_attributes){.size = am_shape_of(2), .mode = AM_RESIZE_LINEAR};
    op_test_refused(AM_OP_RESIZE, &a, "float type, found i32", OP_INPUTS(OP_INDEX(3, 1, 1, 3)));
    op_test_refused(AM_OP_RESIZE, &a, "1 sizes for a tensor of rank 4", OP_INPUTS(OP_F32(1, 1, 3, 3)));
    op_test_refused(AM_OP_RESIZE, &a, "cannot resize 0 elements to 2 along spatial dimension 0",
                    OP_INPUTS(OP_F32(1, 1, 0)));
    a.size = am_shape_of(0);
    op_test_refused(AM_OP_RESIZE, &a, "3 elements to 0", OP_INPUTS(OP_F32(1, 1, 3)));
    a = (am_resize_attributes){.size = am_shape_of(2), .scale = {NAN}};
    op_test_refused(AM_OP_RESIZE, &a, "scale nan is out of range", OP_INPUTS(OP_F32(1, 1, 3)));
}

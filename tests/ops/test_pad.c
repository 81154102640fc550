#include "op_test.h"

static void ops_pad__pads_large_tensors(void **state)
{
    for (int mode = AM_PAD_CONSTANT; mode <= AM_PAD_CIRCULAR; mode++) {
        am_pad_attributes a = {
            .before = am_shape_of(0, 3, 5), .after = am_shape_of(2, 0, 7), .mode = mode, .value = mode ? 0 : 0.5};
        op_test_compare_floats(AM_OP_PAD, &a, OP_INPUTS(OP_F32(3, 17, 33)));
        op_test_compare(AM_OP_PAD, &a, OP_INPUTS(OP_SPECIAL(AM_F32, 3, 4, 9)));
    }
}

static void ops_pad__pads_one_axis_with_zeros(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(2, 2), 1, 2, 3, 4);
    assert_int_equal(am_pad_zero(b, x, 0, 0, 0).id, x.id);
    OP_EXPECT(b, am_pad_zero(b, x, -1, 1, 0), AM_F32, am_shape_of(2, 3), 0, 1, 2, 0, 3, 4);
}

static void ops_pad__refuses_what_a_mode_cannot_do(void **state)
{
    am_pad_attributes a = {.before = am_shape_of(3), .after = am_shape_of(0), .mode = AM_PAD_REFLECT};
    op_test_refused(AM_OP_PAD, &a, "reflecting 3 elements of an axis of 3", OP_INPUTS(OP_F32(3)));
    a.mode = AM_PAD_CIRCULAR;
    op_test_refused(AM_OP_PAD, &a, "wrapping 3 elements of an axis of 2", OP_INPUTS(OP_F32(2)));
    a.mode = AM_PAD_REPLICATE;
    op_test_refused(AM_OP_PAD, &a, "empty axis", OP_INPUTS(OP_F32(0)));
    a.before = am_shape_of(-1);
    op_test_refused(AM_OP_PAD, &a, "crops, which takes constant mode", OP_INPUTS(OP_F32(3)));
    a = (am_pad_attributes){.before = am_shape_of(-2), .after = am_shape_of(-2)};
    op_test_refused(AM_OP_PAD, &a, "leaves dimension 0 with no valid size", OP_INPUTS(OP_F32(3)));
    a = (am_pad_attributes){.before = am_shape_of(INT64_MAX), .after = am_shape_of(INT64_MAX)};
    op_test_refused(AM_OP_PAD, &a, "no valid size", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_PAD, &a, "paddings for 1 and 1 dimensions, the tensor has 2", OP_INPUTS(OP_F32(3, 3)));
}

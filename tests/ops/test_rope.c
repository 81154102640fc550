#include "op_test.h"

static void ops_rope__agrees_on_odd_sizes(void **state)
{
    for (int interleaved = 0; interleaved < 2; interleaved++) {
        const am_rope_attributes a = {interleaved};
        op_test_compare_floats(AM_OP_ROPE, &a, OP_INPUTS(OP_F32(2, 5, 3, 64), OP_F32(1, 5, 32), OP_F32(1, 5, 32)));
        op_test_compare_floats(AM_OP_ROPE, &a, OP_INPUTS(OP_F32(2, 5, 3, 37), OP_F32(2, 5, 9), OP_F32(2, 5, 9)));
        op_test_compare_floats(AM_OP_ROPE, &a, OP_INPUTS(OP_F32(1, 2, 1, 4), OP_F32(1, 2, 0), OP_F32(1, 2, 0)));
    }
}

static void ops_rope__pairs_halves_or_neighbours(void **state)
{
    for (int interleaved = 0; interleaved < 2; interleaved++) {
        am_builder *b = op_test_builder();
        am_value x = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 1, 5), 1, 2, 3, 4, 5);
        am_value cos = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 2), 0, 1),
                 sin = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 2), 1, 0);
        am_value y = am_rope_op(b, x, cos, sin, interleaved);
        if (interleaved) OP_EXPECT(b, y, AM_F32, am_shape_of(1, 1, 1, 5), -2, 1, 3, 4, 5);
        else OP_EXPECT(b, y, AM_F32, am_shape_of(1, 1, 1, 5), -3, 2, 1, 4, 5);
    }
}

static void ops_rope__refuses_tables_that_do_not_fit(void **state)
{
    const am_rope_attributes a = {false};
    op_test_refused(AM_OP_ROPE, &a, "tables of shape [1, 3, 2] for heads of shape [1, 2, 1, 4]",
                    OP_INPUTS(OP_F32(1, 2, 1, 4), OP_F32(1, 3, 2), OP_F32(1, 3, 2)));
    op_test_refused(AM_OP_ROPE, &a, "tables of shape", OP_INPUTS(OP_F32(1, 2, 1, 4), OP_F32(1, 2, 3), OP_F32(1, 2, 3)));
    op_test_refused(AM_OP_ROPE, &a, "tables of shape", OP_INPUTS(OP_F32(3, 2, 1, 4), OP_F32(2, 2, 2), OP_F32(2, 2, 2)));
    op_test_refused(AM_OP_ROPE, &a, "input 2 must have shape [1, 2, 2], found [1, 2, 1]",
                    OP_INPUTS(OP_F32(1, 2, 1, 4), OP_F32(1, 2, 2), OP_F32(1, 2, 1)));
    op_test_refused(AM_OP_ROPE, &a, "input 0 must have rank 4",
                    OP_INPUTS(OP_F32(2, 1, 4), OP_F32(1, 2, 2), OP_F32(1, 2, 2)));
    op_test_refused(AM_OP_ROPE, &a, "input 1 must be f32, found f16",
                    OP_INPUTS(OP_F32(1, 2, 1, 4), OP_OF(AM_F16, 1, 2, 2), OP_F32(1, 2, 2)));
}

#include "op_test.h"

static void ops_linear__agrees_on_odd_sizes(void **state)
{
    for (int in_out = 0; in_out < 2; in_out++) {
        const am_linear_attributes a = {in_out, AM_GELU};
        op_test_input weight = {
            .dtype = AM_F32, .shape = in_out ? am_shape_of(67, 41) : am_shape_of(41, 67), .low = -0.25, .high = 0.25};
        op_test_compare_floats(AM_OP_LINEAR, &a, OP_INPUTS(OP_F32(2, 9, 67), weight, OP_F32(41), OP_F32(2, 9, 41)));
        op_test_compare_floats(AM_OP_LINEAR, &a, OP_INPUTS(OP_F32(67), weight));
        weight.dtype = AM_BF16;
        op_test_compare(AM_OP_LINEAR, &a, OP_INPUTS(OP_F32(5, 67), weight, OP_OF(AM_BF16, 41)));
        weight.dtype = AM_F16;
        op_test_compare(AM_OP_LINEAR, &a, OP_INPUTS(OP_F32(1, 67), weight, OP_ABSENT, OP_F32(1, 41)));
    }
}

static void ops_linear__agrees_on_every_remainder(void **state)
{
    for (int64_t n = 1; n <= 19; n += 2) {
        op_test_compare(AM_OP_LINEAR, &(am_linear_attributes){false, AM_IDENTITY},
                        OP_INPUTS(OP_F32(n, n + 16), OP_F32(34 - n, n + 16), OP_F32(34 - n)));
        op_test_compare(AM_OP_LINEAR, &(am_linear_attributes){false, AM_SILU},
                        OP_INPUTS(OP_F32(1, 20 - n), OP_F32(n, 20 - n)));
    }
}

static void ops_linear__applies_every_activation(void **state)
{
    for (int fn = 0; fn < AM_UNARY_COUNT; fn++) {
        am_dtype result;
        if (fn == AM_NORMAL_ICDF || !am_unary_result((am_unary_fn)fn, AM_F32, &result) || result != AM_F32) continue;
        op_test_input x = {.dtype = AM_F32, .shape = am_shape_of(3, 8), .low = 0.25, .high = 1};
        op_test_input weight = {
            .dtype = AM_F32, .shape = am_shape_of(5, 8), .low = 0.0625, .high = 0.125}; /* sums in every domain */
        op_test_compare(AM_OP_LINEAR, &(am_linear_attributes){false, fn}, OP_INPUTS(x, weight));
    }
}

static void ops_linear__refuses_what_does_not_fit(void **state)
{
    const am_linear_attributes a = {false, AM_IDENTITY};
    op_test_refused(AM_OP_LINEAR, &a, "input of shape [2, 3] does not fit a weight of shape [3, 4]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(3, 4)));
    op_test_refused(AM_OP_LINEAR, &a, "input 1 must have rank 2", OP_INPUTS(OP_F32(2, 3), OP_F32(3)));
    op_test_refused(AM_OP_LINEAR, &a, "input 2 must have shape [4], found [3]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4, 3), OP_F32(3)));
    op_test_refused(AM_OP_LINEAR, &a, "input 3 must have shape [2, 4], found [4]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4, 3), OP_ABSENT, OP_F32(4)));
    op_test_refused(AM_OP_LINEAR, &a, "input 3 must be f32, found bf16",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4, 3), OP_ABSENT, OP_OF(AM_BF16, 2, 4)));
    op_test_refused(AM_OP_LINEAR, &a, "input 1 must be of a float type, found i8",
                    OP_INPUTS(OP_F32(2, 3), OP_OF(AM_I8, 4, 3)));
    op_test_refused(AM_OP_LINEAR, &(am_linear_attributes){true, 0}, "does not fit",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4, 3)));
}

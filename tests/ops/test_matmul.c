#include "op_test.h"

static void ops_matmul__agrees_on_odd_sizes(void **state)
{
    for (int i = 0; i < 4; i++) {
        const am_matmul_attributes a = {i & 1, i >> 1 & 1};
        am_shape x = a.transpose_a ? am_shape_of(2, 37, 9) : am_shape_of(2, 9, 37),
                 y = a.transpose_b ? am_shape_of(2, 41, 37) : am_shape_of(2, 37, 41);
        op_test_input left = {.dtype = AM_F32, .shape = x, .low = -2, .high = 2},
                      right = {.dtype = AM_F32, .shape = y, .low = -2, .high = 2};
        op_test_compare_floats(AM_OP_MATMUL, &a, OP_INPUTS(left, right));
    }
}

static void ops_matmul__agrees_on_every_remainder(void **state)
{
    for (int64_t n = 1; n <= 19; n += 2) {
        op_test_compare(AM_OP_MATMUL, &(am_matmul_attributes){false, true},
                        OP_INPUTS(OP_F32(n, n + 16), OP_F32(20 - n, n + 16)));
        op_test_compare(AM_OP_MATMUL, &(am_matmul_attributes){false, false},
                        OP_INPUTS(OP_F32(20 - n, n), OP_F32(n, 33 - n)));
    }
}

static void ops_matmul__broadcasts_leading_dimensions(void **state)
{
    op_test_compare_floats(AM_OP_MATMUL, &(am_matmul_attributes){false, true},
                           OP_INPUTS(OP_F32(2, 1, 7, 5), OP_F32(3, 4, 5)));
    op_test_compare_floats(AM_OP_MATMUL, &(am_matmul_attributes){false, false},
                           OP_INPUTS(OP_F32(7, 5), OP_F32(2, 3, 5, 4)));
}

static void ops_matmul__refuses_what_does_not_fit(void **state)
{
    const am_matmul_attributes a = {false, true};
    op_test_refused(AM_OP_MATMUL, &a, "shapes [2, 3] and [3, 4]^T do not fit", OP_INPUTS(OP_F32(2, 3), OP_F32(3, 4)));
    op_test_refused(AM_OP_MATMUL, &a, "shapes [3] and", OP_INPUTS(OP_F32(3), OP_F32(4, 3)));
    op_test_refused(AM_OP_MATMUL, &a, "do not fit", OP_INPUTS(OP_F32(2, 2, 3), OP_F32(3, 4, 3)));
    op_test_refused(AM_OP_MATMUL, &a, "input 1 must be f32, found f16", OP_INPUTS(OP_F32(2, 3), OP_OF(AM_F16, 4, 3)));
    op_test_refused(AM_OP_MATMUL, &a, "input 0 must be of a float type, found i32",
                    OP_INPUTS(OP_INDEX(3, 2, 3), OP_INDEX(3, 4, 3)));
}

#include "op_test.h"

static bool is_taken(int fn, am_dtype dtype)
{
    am_dtype result;
    return am_binary_result((am_binary_fn)fn, dtype, &result);
}

static void ops_binary__agrees_on_every_function_and_dtype(void **state)
{
    static const am_dtype dtypes[] = {AM_F64, AM_F32, AM_F16, AM_BF16, AM_I32, AM_I64, AM_BOOL};
    for (int fn = 0; fn < AM_BINARY_COUNT; fn++)
        for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
            op_test_input x = OP_OF(dtypes[d], 5, 37), y = OP_OF(dtypes[d], 37);
            x.low = y.low = dtypes[d] == AM_BOOL ? 0 : -2;
            x.high = y.high = dtypes[d] == AM_BOOL ? 2 : 3;
            if (is_taken(fn, dtypes[d])) op_test_compare(AM_OP_BINARY, &(am_binary_attributes){fn}, OP_INPUTS(x, y));
        }
}

static void ops_binary__agrees_on_special_numbers(void **state)
{
    for (int fn = 0; fn < AM_BINARY_COUNT; fn++)
        if (is_taken(fn, AM_F32))
            op_test_compare_floats(AM_OP_BINARY, &(am_binary_attributes){fn},
                                   OP_INPUTS(OP_SPECIAL(AM_F32, 9, 17), OP_SPECIAL(AM_F32, 1, 17)));
}

static void ops_binary__broadcasts_both_ways(void **state)
{
    static const am_binary_fn fns[] = {AM_ADD, AM_SUB, AM_MUL, AM_DIV, AM_MAX, AM_LESS};
    for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
        const am_binary_attributes a = {(int)fns[i]};
        op_test_compare_floats(AM_OP_BINARY, &a, OP_INPUTS(OP_F32(67, 1), OP_F32(1, 35)));
        op_test_compare_floats(AM_OP_BINARY, &a, OP_INPUTS(OP_F32(2, 9, 33), OP_F32(9, 1)));
        op_test_compare_floats(AM_OP_BINARY, &a, OP_INPUTS(OP_F32(33), OP_F32(2, 9, 33)));
        op_test_compare_floats(AM_OP_BINARY, &a, OP_INPUTS(OP_SCALAR(AM_F32), OP_F32(5, 7)));
        op_test_compare_floats(AM_OP_BINARY, &a, OP_INPUTS(OP_F32(2, 0), OP_F32(1)));
    }
    const am_binary_attributes less = {AM_LESS}, both = {AM_LOGICAL_AND};
    op_test_compare(AM_OP_BINARY, &less, OP_INPUTS(OP_INDEX(9, 67, 1), OP_INDEX(9, 1, 35)));
    op_test_compare(AM_OP_BINARY, &less, OP_INPUTS(OP_INDEX(9, 33), OP_INDEX(9, 2, 9, 1)));
    op_test_compare(AM_OP_BINARY, &both, OP_INPUTS(OP_BOOL(2, 1, 35), OP_BOOL(67, 1)));
}

static void expect_int(am_binary_fn fn, double x, double y, double result)
{
    am_builder *b = op_test_builder();
    am_value a = OP_VALUES(b, AM_I32, am_shape_of(1), x), c = OP_VALUES(b, AM_I32, am_shape_of(1), y);
    OP_EXPECT(b, am_binary(b, fn, a, c), AM_I32, am_shape_of(1), result);
}

static void ops_binary__never_traps_on_integers(void **state)
{
    expect_int(AM_DIV, 7, 0, 0);
    expect_int(AM_MOD, 7, 0, 0);
    expect_int(AM_DIV, INT32_MIN, -1, INT32_MIN);
    expect_int(AM_MOD, INT32_MIN, -1, 0);
    expect_int(AM_ADD, INT32_MAX, 1, INT32_MIN);
    expect_int(AM_POW, 2, -1, 0);
    expect_int(AM_POW, -1, -3, -1);
    expect_int(AM_POW, 3, 40, 689956897); /* 3^40 modulo 2^32 */
}

static void ops_binary__takes_numbers_in_the_dtype_of_the_tensor(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I32, am_shape_of(2), 5, -5);
    x = am_mul_number(b, am_add_number(b, x, 2), 3);
    OP_EXPECT(b, am_binary_number(b, AM_MOD, x, 4), AM_I32, am_shape_of(2), 1, 3);
}

static void ops_binary__refuses_what_does_not_fit(void **state)
{
    op_test_refused(AM_OP_BINARY, &(am_binary_attributes){AM_ADD}, "add: shapes [2, 3] and [4] do not fit",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(4)));
    op_test_refused(AM_OP_BINARY, &(am_binary_attributes){AM_ADD}, "input 1 must be f32, found f16",
                    OP_INPUTS(OP_F32(2), OP_OF(AM_F16, 2)));
    op_test_refused(AM_OP_BINARY, &(am_binary_attributes){AM_BIT_AND}, "bit_and is not defined for f32",
                    OP_INPUTS(OP_F32(2), OP_F32(2)));
    op_test_refused(AM_OP_BINARY, &(am_binary_attributes){AM_ATAN2}, "atan2 is not defined for i32",
                    OP_INPUTS(OP_INDEX(3, 2), OP_INDEX(3, 2)));
    op_test_refused(AM_OP_BINARY, &(am_binary_attributes){AM_ADD}, "add is not defined for bool",
                    OP_INPUTS(OP_BOOL(2), OP_BOOL(2)));
}

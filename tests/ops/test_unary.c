#include "op_test.h"

#include <string.h>

static bool is_taken(am_unary_fn fn, am_dtype dtype)
{
    am_dtype result;
    return am_unary_result(fn, dtype, &result);
}

static void ops_unary__agrees_on_every_function_and_dtype(void **state)
{
    static const am_dtype dtypes[] = {AM_F64, AM_F32, AM_F16, AM_BF16, AM_I32, AM_I64, AM_BOOL};
    for (int fn = 0; fn < AM_UNARY_COUNT; fn++)
        for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
            op_test_input x = OP_OF(dtypes[d], 3, 67);
            x.low = dtypes[d] == AM_BOOL ? 0 : -9;
            x.high = dtypes[d] == AM_BOOL ? 2 : 9;
            if (is_taken((am_unary_fn)fn, dtypes[d]))
                op_test_compare(AM_OP_UNARY, &(am_unary_attributes){fn}, OP_INPUTS(x));
        }
}

static void ops_unary__agrees_on_special_numbers(void **state)
{
    for (int fn = 0; fn < AM_UNARY_COUNT; fn++)
        op_test_compare_floats(AM_OP_UNARY, &(am_unary_attributes){fn}, OP_INPUTS(OP_SPECIAL(AM_F32, 77)));
}

static void ops_unary__bounds_by_a_soft_cap(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(3), -1e9, 0, 1e9);
    OP_EXPECT(b, am_soft_cap(b, x, 30), AM_F32, am_shape_of(3), -30, 0, 30);
}

static void ops_unary__refuses_dtypes_without_the_function(void **state)
{
    op_test_refused(AM_OP_UNARY, &(am_unary_attributes){AM_EXP}, "exp is not defined for i32",
                    OP_INPUTS(OP_INDEX(3, 2)));
    op_test_refused(AM_OP_UNARY, &(am_unary_attributes){AM_NEG}, "neg is not defined for bool", OP_INPUTS(OP_BOOL(2)));
    op_test_refused(AM_OP_UNARY, &(am_unary_attributes){AM_IS_NAN}, "is_nan is not defined for i64",
                    OP_INPUTS(OP_OF(AM_I64, 2)));
}

static void ops_unary__keeps_rank_zero_and_eight(void **state)
{
    op_test_compare_floats(AM_OP_UNARY, &(am_unary_attributes){AM_GELU}, OP_INPUTS(OP_SCALAR(AM_F32)));
    op_test_compare_floats(AM_OP_UNARY, &(am_unary_attributes){AM_GELU}, OP_INPUTS(OP_F32(1, 2, 1, 3, 1, 2, 1, 2)));
    op_test_compare_floats(AM_OP_UNARY, &(am_unary_attributes){AM_GELU}, OP_INPUTS(OP_F32(3, 0)));
}

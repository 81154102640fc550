#include "op_test.h"

static void ops_cast__converts_from_each_dtype_to_each(void **state)
{
    for (int from = 0; from < AM_DTYPE_COUNT; from++)
        for (int to = 0; to < AM_DTYPE_COUNT; to++) {
            op_test_input x = OP_OF((am_dtype)from, 5, 13);
            x.low = am_dtype_is_float(x.dtype) ? -100 : 0;
            x.high = x.dtype == AM_BOOL ? 2 : 100;
            op_test_compare(AM_OP_CAST, &(am_cast_attributes){(am_dtype)to}, OP_INPUTS(x));
        }
}

static void ops_cast__converts_special_numbers(void **state)
{
    static const am_dtype floats[] = {AM_F64, AM_F32, AM_F16, AM_BF16};
    for (int i = 0; i < 16; i++)
        op_test_compare(AM_OP_CAST, &(am_cast_attributes){floats[i % 4]}, OP_INPUTS(OP_SPECIAL(floats[i / 4], 7, 41)));
}

static void ops_cast__is_nothing_where_the_dtype_stays(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F16, am_shape_of(2), 1, 2);
    assert_int_equal(am_cast(b, x, AM_F16).id, x.id);
    OP_EXPECT(b, am_cast(b, x, AM_BOOL), AM_BOOL, am_shape_of(2), 1, 1);
}

static void ops_cast__takes_scalars_and_nothing(void **state)
{
    op_test_compare(AM_OP_CAST, &(am_cast_attributes){AM_F16}, OP_INPUTS(OP_SCALAR(AM_F32)));
    op_test_compare(AM_OP_CAST, &(am_cast_attributes){AM_F32}, OP_INPUTS(OP_OF(AM_BF16, 0, 3)));
}

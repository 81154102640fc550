#include "op_test.h"

static void ops_scan__agrees_on_large_tensors(void **state)
{
    for (int fn = AM_REDUCE_SUM; fn <= AM_REDUCE_MIN; fn++) {
        if (fn == AM_REDUCE_MEAN) continue;
        op_test_compare_floats(AM_OP_SCAN, &(am_scan_attributes){.fn = fn, .axis = 1}, OP_INPUTS(OP_F32(5, 67)));
        op_test_compare_floats(AM_OP_SCAN,
                               &(am_scan_attributes){.fn = fn, .axis = 0, .reverse = true, .exclusive = true},
                               OP_INPUTS(OP_F32(67, 5)));
    }
    op_test_compare(AM_OP_SCAN, &(am_scan_attributes){.fn = AM_REDUCE_MAX}, OP_INPUTS(OP_SPECIAL(AM_F32, 31)));
}

static void ops_scan__wraps_integers(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_I8, am_shape_of(3), 100, 100, 100);
    OP_EXPECT(b, am_scan(b, AM_REDUCE_SUM, x, -1, false, false), AM_I8, am_shape_of(3), 100, -56, 44);
}

static void ops_scan__refuses_functions_that_do_not_accumulate(void **state)
{
    op_test_refused(AM_OP_SCAN, &(am_scan_attributes){.fn = AM_REDUCE_MEAN}, "takes sum, prod, max or min, found mean",
                    OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_SCAN, &(am_scan_attributes){.fn = AM_REDUCE_SUM}, "sum is not defined for bool",
                    OP_INPUTS(OP_BOOL(3)));
    op_test_refused(AM_OP_SCAN, &(am_scan_attributes){.fn = AM_REDUCE_SUM, .axis = 1}, "axis 1", OP_INPUTS(OP_F32(3)));
}

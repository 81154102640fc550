#include "op_test.h"

static void ops_convolution__agrees_on_odd_sizes(void **state)
{
    am_convolution_attributes a = {.padding_before = am_shape_of(1), .padding_after = am_shape_of(2)};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(2, 9, 67), OP_F32(13, 9, 5), OP_F32(13)));
    a = (am_convolution_attributes){.stride = am_shape_of(2, 1), .dilation = am_shape_of(1, 2), .groups = 3};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(1, 6, 19, 23), OP_F32(9, 2, 3, 5), OP_F32(9)));
    a = (am_convolution_attributes){.stride = am_shape_of(8, 8)};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(1, 3, 33, 24), OP_F32(17, 3, 8, 8), OP_F32(17)));
    a = (am_convolution_attributes){
        .padding_before = am_shape_of(2, 2), .padding_after = am_shape_of(2, 2), .groups = 37};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(1, 37, 11, 13), OP_F32(37, 1, 5, 5)));
    a = (am_convolution_attributes){0};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(2, 35, 7, 9), OP_F32(19, 35, 1, 1), OP_F32(19)));
    op_test_compare(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(1, 3, 5, 6, 7), OP_F32(4, 3, 2, 2, 3)));
    op_test_compare(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(2, 9, 31), OP_OF(AM_F16, 13, 9, 3), OP_F32(13)));
}

static void ops_convolution__agrees_on_rows_as_long_as_its_sums(void **state)
{
    for (int64_t dilation = 1; dilation <= 9; dilation += 8) {
        am_convolution_attributes a = {.dilation = am_shape_of(dilation)};
        op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(2, 2, 512 + 2 * dilation), OP_F32(256, 2, 3)));
    }
}

static void ops_convolution__takes_empty_batches(void **state)
{
    am_convolution_attributes a = {0};
    op_test_compare_floats(AM_OP_CONVOLUTION, &a, OP_INPUTS(OP_F32(0, 3, 5, 5), OP_F32(4, 3, 2, 2)));
}

static void ops_convolution__refuses_what_does_not_fit(void **state)
{
    am_convolution_attributes a = {0};
    op_test_refused(AM_OP_CONVOLUTION, &a, "[1, 4, 5] does not fit weight [2, 3, 3]",
                    OP_INPUTS(OP_F32(1, 4, 5), OP_F32(2, 3, 3)));
    op_test_refused(AM_OP_CONVOLUTION, &a, "a window of 6 elements does not fit into 5",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 6)));
    op_test_refused(AM_OP_CONVOLUTION, &a, "input 2 must have shape [2], found [3]",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3), OP_F32(3)));
    op_test_refused(AM_OP_CONVOLUTION, &a, "0 spatial dimensions", OP_INPUTS(OP_F32(1, 3), OP_F32(2, 3)));
    op_test_refused(AM_OP_CONVOLUTION, &a, "4 spatial dimensions",
                    OP_INPUTS(OP_F32(1, 3, 2, 2, 2, 2), OP_F32(2, 3, 1, 1, 1, 1)));
    op_test_refused(AM_OP_CONVOLUTION, &a, "input 1 must have rank 3", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3)));
    a.groups = 2;
    op_test_refused(AM_OP_CONVOLUTION, &a, "in 2 groups", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3)));
    a = (am_convolution_attributes){.groups = -1};
    op_test_refused(AM_OP_CONVOLUTION, &a, "in -1 groups", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3)));
    a = (am_convolution_attributes){.stride = am_shape_of(0)};
    op_test_refused(AM_OP_CONVOLUTION, &a, "stride 0 is not in 1..2^31", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3)));
    a = (am_convolution_attributes){.padding_before = am_shape_of(-1)};
    op_test_refused(AM_OP_CONVOLUTION, &a, "padding_before -1", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3)));
    a = (am_convolution_attributes){.dilation = am_shape_of(1, 1)};
    op_test_refused(AM_OP_CONVOLUTION, &a, "a list of 2 numbers for 1 spatial dimensions",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(2, 3, 3)));
}

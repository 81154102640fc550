#include "op_test.h"

static void ops_conv_transpose__agrees_on_odd_sizes(void **state)
{
    am_convolution_attributes a = {
        .stride = am_shape_of(5), .padding_before = am_shape_of(2), .padding_after = am_shape_of(3)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(2, 9, 17), OP_F32(9, 7, 11), OP_F32(7)));
    a = (am_convolution_attributes){.stride = am_shape_of(2, 2)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(1, 8, 5, 9), OP_F32(8, 5, 2, 2), OP_F32(5)));
    a = (am_convolution_attributes){
        .stride = am_shape_of(2, 1), .dilation = am_shape_of(1, 2), .groups = 2, .output_padding = am_shape_of(1, 1)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(1, 6, 5, 4), OP_F32(6, 3, 3, 2)));
}

/* Windows overlap, lines and kernels are longer than what is computed at a time. */
static void ops_conv_transpose__agrees_on_long_lines_and_kernels(void **state)
{
    am_convolution_attributes a = {
        .stride = am_shape_of(8), .padding_before = am_shape_of(4), .padding_after = am_shape_of(4)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(1, 5, 523), OP_F32(5, 3, 16), OP_F32(3)));
    a = (am_convolution_attributes){.stride = am_shape_of(3), .groups = 3, .output_padding = am_shape_of(2)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(2, 6, 257), OP_F32(6, 2, 70), OP_F32(6)));
    a = (am_convolution_attributes){
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a, OP_INPUTS(OP_F32(2, 9, 7, 12), OP_F32(9, 4, 4, 4)));
    a = (am_convolution_attributes){.stride = am_shape_of(2, 1, 3),
                                    .dilation = am_shape_of(1, 2, 1),
                                    .padding_before = am_shape_of(3, 2, 1),
                                    .padding_after = am_shape_of(0, 1, 2)};
    op_test_compare_floats(AM_OP_CONV_TRANSPOSE, &a,
                           OP_INPUTS(OP_F32(1, 4, 3, 5, 6), OP_F32(4, 3, 4, 3, 5), OP_F32(3)));
}

static void ops_conv_transpose__refuses_what_does_not_fit(void **state)
{
    am_convolution_attributes a = {0};
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "weight takes 3 channels, found 4",
                    OP_INPUTS(OP_F32(1, 4, 5), OP_F32(3, 2, 3)));
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "input 2 must have shape [2], found [3]",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(3, 2, 3), OP_F32(3)));
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "0 spatial dimensions", OP_INPUTS(OP_F32(1, 3), OP_F32(3, 2)));
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "must have 1..2^31 elements, found 0",
                    OP_INPUTS(OP_F32(1, 3, 0), OP_F32(3, 2, 3)));
    a.groups = 2;
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "3 channels do not fall into 2 groups",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(3, 2, 3)));
    a = (am_convolution_attributes){.output_padding = am_shape_of(2), .stride = am_shape_of(2)};
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "output_padding 2 is not below the stride or the dilation",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(3, 2, 3)));
    a = (am_convolution_attributes){.padding_before = am_shape_of(5), .padding_after = am_shape_of(5)};
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "paddings of spatial dimension 0 are larger",
                    OP_INPUTS(OP_F32(1, 3, 5), OP_F32(3, 2, 3)));
    a = (am_convolution_attributes){.dilation = am_shape_of(INT64_MAX)};
    op_test_refused(AM_OP_CONV_TRANSPOSE, &a, "is not in 1..2^31", OP_INPUTS(OP_F32(1, 3, 5), OP_F32(3, 2, 3)));
}

#include "op_test.h"

static void ops_fourier__agrees_on_odd_and_even_lengths(void **state)
{
    static const int64_t lengths[] = {1, 2, 3, 16, 25, 64, 97, 400};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        am_fourier_attributes a = {.real_input = true, .axis = 1, .length = lengths[i]};
        op_test_compare(AM_OP_FOURIER, &a, OP_INPUTS(OP_F32(3, lengths[i])));
        a = (am_fourier_attributes){.inverse = true, .real_output = true, .axis = 0, .length = lengths[i]};
        op_test_compare(AM_OP_FOURIER, &a, OP_INPUTS(OP_F32(lengths[i] / 2 + 1, 3, 2)));
        a = (am_fourier_attributes){.inverse = i & 1, .axis = 1, .length = lengths[i]};
        op_test_compare(AM_OP_FOURIER, &a, OP_INPUTS(OP_F32(2, lengths[i], 2)));
    }
}

static void ops_fourier__inverts_itself(void **state)
{
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(4), 1, -2, 3, 0.5);
    am_value spectrum = am_fourier(b, x, &(am_fourier_attributes){.real_input = true, .length = 4});
    OP_EXPECT(b, am_fourier(b, spectrum, &(am_fourier_attributes){.inverse = true, .real_output = true, .length = 4}),
              AM_F32, am_shape_of(4), 1, -2, 3, 0.5);
}

static void ops_fourier__refuses_what_is_no_transform(void **state)
{
    am_fourier_attributes a = {.length = 4};
    op_test_refused(AM_OP_FOURIER, &a, "its last dimension 2", OP_INPUTS(OP_F32(4, 3)));
    op_test_refused(AM_OP_FOURIER, &a, "its last dimension 2", OP_INPUTS(OP_SCALAR(AM_F32)));
    op_test_refused(AM_OP_FOURIER, &a, "axis 0 is not one of the 0 dimensions", OP_INPUTS(OP_F32(2)));
    op_test_refused(AM_OP_FOURIER, &a, "float type", OP_INPUTS(OP_INDEX(3, 4, 2)));
    a.real_input = a.inverse = true;
    op_test_refused(AM_OP_FOURIER, &a, "real_input takes a forward transform", OP_INPUTS(OP_F32(4)));
    a = (am_fourier_attributes){.real_output = true, .length = 4};
    op_test_refused(AM_OP_FOURIER, &a, "real_output takes an inverse transform", OP_INPUTS(OP_F32(4, 2)));
    a = (am_fourier_attributes){.real_input = true};
    op_test_refused(AM_OP_FOURIER, &a, "length 0 is not in 1..2^31", OP_INPUTS(OP_F32(4)));
    a.length = 4;
    op_test_refused(AM_OP_FOURIER, &a, "the result would have rank 9", OP_INPUTS(OP_F32(4, 1, 1, 1, 1, 1, 1, 1)));
}

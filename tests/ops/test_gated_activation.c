#include "op_test.h"

static void ops_gated_activation__agrees_on_odd_sizes(void **state)
{
    static const am_unary_fn fns[] = {AM_SILU,    AM_GELU,  AM_GELU_TANH,  AM_RELU,
                                      AM_SIGMOID, AM_RELU2, AM_QUICK_GELU, AM_IDENTITY};
    for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
        const am_gated_activation_attributes a = {(int)fns[i]};
        op_test_compare_floats(AM_OP_GATED_ACTIVATION, &a, OP_INPUTS(OP_F32(5, 67), OP_F32(5, 67)));
        op_test_compare_floats(AM_OP_GATED_ACTIVATION, &a, OP_INPUTS(OP_F32(2, 5, 66), OP_ABSENT));
        op_test_compare_floats(AM_OP_GATED_ACTIVATION, &a, OP_INPUTS(OP_F32(2, 66)));
    }
}

static void ops_gated_activation__refuses_what_does_not_fit(void **state)
{
    const am_gated_activation_attributes a = {AM_SILU};
    op_test_refused(AM_OP_GATED_ACTIVATION, &a, "input 1 must have shape [2, 3], found [2, 4]",
                    OP_INPUTS(OP_F32(2, 3), OP_F32(2, 4)));
    op_test_refused(AM_OP_GATED_ACTIVATION, &a, "even last dimension", OP_INPUTS(OP_F32(2, 3)));
    op_test_refused(AM_OP_GATED_ACTIVATION, &a, "even last dimension", OP_INPUTS(OP_SCALAR(AM_F32), OP_ABSENT));
    op_test_refused(AM_OP_GATED_ACTIVATION, &a, "input 1 must be f32, found bf16",
                    OP_INPUTS(OP_F32(2, 3), OP_OF(AM_BF16, 2, 3)));
}

#include "op_test.h"

static void agree(int kind, const op_test_input *inputs, int count)
{
    for (int reverse = 0; reverse < 2; reverse++)
        op_test_compare_floats(AM_OP_RECURRENCE, &(am_recurrence_attributes){kind, reverse}, inputs, count);
}

#define BETWEEN(from, to, ...)                                                                                         \
    ((op_test_input){.dtype = AM_F32, .shape = am_shape_of(__VA_ARGS__), .low = (from), .high = (to)})

static void ops_recurrence__agrees_on_odd_sizes(void **state)
{
    agree(AM_RECURRENCE_LINEAR, OP_INPUTS(OP_F32(2, 9, 7), BETWEEN(0, 1, 2, 9, 7), OP_F32(2, 7)));
    agree(AM_RECURRENCE_LSTM, OP_INPUTS(OP_F32(2, 9, 28), BETWEEN(-0.5, 0.5, 28, 7), OP_F32(2, 7), OP_F32(2, 7)));
    agree(AM_RECURRENCE_GRU, OP_INPUTS(OP_F32(2, 9, 21), BETWEEN(-0.5, 0.5, 21, 7), OP_F32(21), OP_F32(2, 7)));
    agree(AM_RECURRENCE_SELECTIVE_SCAN, OP_INPUTS(OP_F32(2, 9, 6), BETWEEN(0, 1, 2, 9, 6), BETWEEN(-2, 0, 6, 5),
                                                  OP_F32(2, 9, 5), OP_F32(2, 9, 5), OP_F32(2, 6, 5)));
    agree(AM_RECURRENCE_SELECTIVE_SCAN, OP_INPUTS(OP_F32(2, 7, 74), BETWEEN(0, 1, 2, 7, 74), BETWEEN(-2, 0, 74, 19),
                                                  OP_F32(2, 7, 2, 19), OP_F32(2, 7, 2, 19), OP_F32(2, 74, 19)));
    agree(AM_RECURRENCE_GATED_DELTA,
          OP_INPUTS(BETWEEN(-0.5, 0.5, 2, 9, 3, 4), BETWEEN(-0.5, 0.5, 2, 9, 3, 4), OP_F32(2, 9, 3, 5),
                    BETWEEN(-1, 0, 2, 9, 3), BETWEEN(0, 1, 2, 9, 3), OP_F32(2, 3, 4, 5)));
}

static void ops_recurrence__takes_no_steps(void **state)
{
    agree(AM_RECURRENCE_LINEAR, OP_INPUTS(OP_F32(2, 0, 3), OP_F32(2, 0, 3), OP_F32(2, 3)));
    agree(AM_RECURRENCE_LSTM, OP_INPUTS(OP_F32(2, 0, 8), OP_F32(8, 2), OP_F32(2, 2), OP_F32(2, 2)));
}

static void ops_recurrence__gives_the_states_after_the_last_step(void **state)
{
    am_value h;
    am_builder *b = op_test_builder();
    am_value inputs[3] = {OP_VALUES(b, AM_F32, am_shape_of(1, 3), 1, 2, 3),
                          OP_VALUES(b, AM_F32, am_shape_of(1, 3), 2, 2, 2), OP_VALUES(b, AM_F32, am_shape_of(1), 5)};
    am_value y =
        am_recurrence(b, inputs, 3, &(am_recurrence_attributes){.kind = AM_RECURRENCE_LINEAR, .reverse = true}, &h);
    OP_EXPECT(b, am_concat2(b, am_reshape(b, y, am_shape_of(3)), h, 0), AM_F32, am_shape_of(4), 57, 28, 13, 57);
}

static void ops_recurrence__keeps_states_in_their_own_dtype(void **state)
{
    am_recurrence_attributes a = {.kind = AM_RECURRENCE_LINEAR};
    op_test_compare(AM_OP_RECURRENCE, &a, OP_INPUTS(OP_OF(AM_BF16, 2, 5, 3), OP_OF(AM_BF16, 2, 5, 3), OP_F32(2, 3)));
}

static void ops_recurrence__refuses_what_does_not_fit(void **state)
{
    am_recurrence_attributes a = {.kind = AM_RECURRENCE_LINEAR};
    op_test_refused(AM_OP_RECURRENCE, &a, "linear takes 3 inputs, found 4",
                    OP_INPUTS(OP_F32(2, 5, 3), OP_F32(2, 5, 3), OP_F32(2, 3), OP_F32(2, 3)));
    op_test_refused(AM_OP_RECURRENCE, &a, "input 1 must have shape [2, 5, 3], found [2, 5, 2]",
                    OP_INPUTS(OP_F32(2, 5, 3), OP_F32(2, 5, 2), OP_F32(2, 3)));
    op_test_refused(AM_OP_RECURRENCE, &a, "input 2 must have shape [2, 3], found [3]",
                    OP_INPUTS(OP_F32(2, 5, 3), OP_F32(2, 5, 3), OP_F32(3)));
    op_test_refused(AM_OP_RECURRENCE, &a, "input 0 must be [B, T, ..], found rank 1",
                    OP_INPUTS(OP_F32(2), OP_F32(2), OP_F32(2)));
    a.kind = AM_RECURRENCE_LSTM;
    op_test_refused(AM_OP_RECURRENCE, &a, "input 3 is missing",
                    OP_INPUTS(OP_F32(2, 5, 8), OP_F32(8, 2), OP_F32(2, 2), OP_ABSENT));
    op_test_refused(AM_OP_RECURRENCE, &a, "4 times the hidden size, found 6",
                    OP_INPUTS(OP_F32(2, 5, 6), OP_F32(8, 2), OP_F32(2, 2), OP_F32(2, 2)));
    op_test_refused(AM_OP_RECURRENCE, &a, "input 1 must have shape [8, 2], found [2, 8]",
                    OP_INPUTS(OP_F32(2, 5, 8), OP_F32(2, 8), OP_F32(2, 2), OP_F32(2, 2)));
    a.kind = AM_RECURRENCE_GRU;
    op_test_refused(AM_OP_RECURRENCE, &a, "input 2 must have shape [6], found [2]",
                    OP_INPUTS(OP_F32(2, 5, 6), OP_F32(6, 2), OP_F32(2), OP_F32(2, 2)));
    a.kind = AM_RECURRENCE_SELECTIVE_SCAN;
    op_test_refused(AM_OP_RECURRENCE, &a, "5 channels do not fall into 2 groups",
                    OP_INPUTS(OP_F32(1, 2, 5), OP_F32(1, 2, 5), OP_F32(5, 3), OP_F32(1, 2, 2, 3), OP_F32(1, 2, 2, 3),
                              OP_F32(1, 5, 3)));
    a.kind = AM_RECURRENCE_GATED_DELTA;
    op_test_refused(AM_OP_RECURRENCE, &a, "input 4 must have shape [1, 2, 3], found [1, 2, 2]",
                    OP_INPUTS(OP_F32(1, 2, 3, 4), OP_F32(1, 2, 3, 4), OP_F32(1, 2, 3, 5), OP_F32(1, 2, 3),
                              OP_F32(1, 2, 2), OP_F32(1, 3, 4, 5)));
}

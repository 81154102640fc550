#include "op_test.h"

static void ops_embedding__agrees_on_every_float_type(void **state)
{
    op_test_compare_floats(AM_OP_EMBEDDING, NULL, OP_INPUTS(OP_F32(33, 67), OP_INDEX(33, 3, 5)));
    op_test_compare(AM_OP_EMBEDDING, NULL, OP_INPUTS(OP_OF(AM_F8_E4M3, 9, 5), OP_INDEX(9, 4)));
    op_test_compare(AM_OP_EMBEDDING, NULL, OP_INPUTS(OP_SPECIAL(AM_BF16, 9, 5), OP_INDEX(9, 4)));
    op_test_compare(AM_OP_EMBEDDING, NULL, OP_INPUTS(OP_F32(9, 5), OP_INDEX(9, 0)));
}

static void ops_embedding__names_ids_outside_of_the_table(void **state)
{
    op_test_input ids = OP_INDEX(0, 2);
    ids.low = ids.high = 9;
    op_test_run_fails(AM_OP_EMBEDDING, NULL, AM_OUT_OF_RANGE, "embedding: index 9 at place 0 is outside of 0..8",
                      OP_INPUTS(OP_F32(9, 5), ids));
    ids.low = ids.high = -1;
    op_test_run_fails(AM_OP_EMBEDDING, NULL, AM_OUT_OF_RANGE, "index -1", OP_INPUTS(OP_OF(AM_F16, 9, 5), ids));
}

static void ops_embedding__refuses_what_does_not_fit(void **state)
{
    op_test_refused(AM_OP_EMBEDDING, NULL, "input 0 must have rank 2", OP_INPUTS(OP_F32(9), OP_INDEX(9, 2)));
    op_test_refused(AM_OP_EMBEDDING, NULL, "input 1 must hold indices", OP_INPUTS(OP_F32(9, 5), OP_F32(2)));
    op_test_refused(AM_OP_EMBEDDING, NULL, "input 0 must be of a float type, found i8",
                    OP_INPUTS(OP_OF(AM_I8, 9, 5), OP_INDEX(9, 2)));
}

#include "op_test.h"

#include <stdlib.h>

#define OFFSET(value) ((op_test_input){.dtype = AM_I32, .low = (double)(value), .high = (double)(value)})

static void ops_attention__agrees_on_odd_sizes(void **state)
{
    am_attention_attributes a = {.causal = true};
    op_test_compare_floats(AM_OP_ATTENTION, &a,
                           OP_INPUTS(OP_F32(2, 9, 6, 33), OP_F32(2, 9, 3, 33), OP_F32(2, 9, 3, 17)));
    op_test_compare(AM_OP_ATTENTION, &a, OP_INPUTS(OP_F32(1, 1, 4, 64), OP_F32(1, 67, 2, 64), OP_F32(1, 67, 2, 64)));
    op_test_compare(AM_OP_ATTENTION, &a,
                    OP_INPUTS(OP_F32(1, 3, 4, 16), OP_OF(AM_BF16, 1, 19, 2, 16), OP_OF(AM_BF16, 1, 19, 2, 16)));
    a.window = 5;
    op_test_compare_floats(AM_OP_ATTENTION, &a,
                           OP_INPUTS(OP_F32(1, 19, 2, 8), OP_F32(1, 19, 2, 8), OP_F32(1, 19, 2, 8)));
    a = (am_attention_attributes){.scale = 1, .soft_cap = 3};
    op_test_compare_floats(AM_OP_ATTENTION, &a,
                           OP_INPUTS(OP_F32(2, 5, 2, 8), OP_F32(2, 7, 2, 8), OP_F32(2, 7, 2, 8), OP_BOOL(2, 1, 5, 7),
                                     OP_F32(2, 5, 7), OP_F32(2)));
}

/* More than the second cache holds. */
static void ops_attention__agrees_on_many_heads(void **state)
{
    am_attention_attributes a = {.causal = true};
    op_test_compare(AM_OP_ATTENTION, &a,
                    OP_INPUTS(OP_F32(2, 200, 8, 64), OP_F32(2, 200, 4, 64), OP_F32(2, 200, 4, 64)));
}

static void ops_attention__ignores_places_of_the_cache_not_yet_filled(void **state)
{
    am_attention_attributes a = {.causal = true};
    for (int64_t offset = 0; offset <= 6; offset += 3)
        op_test_compare_floats(AM_OP_ATTENTION, &a,
                               OP_INPUTS(OP_F32(2, 2, 4, 8), OP_F32(2, 8, 2, 8), OP_F32(2, 8, 2, 8), OP_ABSENT,
                                         OP_ABSENT, OP_ABSENT, OFFSET(offset)));
    a = (am_attention_attributes){0};
    op_test_compare(AM_OP_ATTENTION, &a,
                    OP_INPUTS(OP_F32(1, 2, 4, 8), OP_F32(1, 8, 2, 8), OP_F32(1, 8, 2, 8), OP_ABSENT, OP_ABSENT,
                              OP_ABSENT, OFFSET(2)));
}

/* An offset of 1 with one query means two keys: the third place is not written yet. */
static void ops_attention__sees_only_what_the_cache_holds(void **state)
{
    am_builder *b = op_test_builder();
    am_value q = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 1, 1), 1),
             k = OP_VALUES(b, AM_F32, am_shape_of(1, 3, 1, 1), 0, 0, 5);
    am_value v = OP_VALUES(b, AM_F32, am_shape_of(1, 3, 1, 1), 1, 3, 100), offset = am_scalar(b, AM_I32, 1);
    am_attention_inputs inputs = {.q = q, .k = k, .v = v, .offset = offset};
    OP_EXPECT(b, am_attention_op(b, &inputs, &(am_attention_attributes){.causal = true}), AM_F32,
              am_shape_of(1, 1, 1, 1), 2);
}

static void ops_attention__averages_where_nothing_is_attended(void **state)
{
    am_builder *b = op_test_builder();
    am_value q = OP_VALUES(b, AM_F32, am_shape_of(1, 1, 1, 1), 1),
             k = OP_VALUES(b, AM_F32, am_shape_of(1, 2, 1, 1), 1, 9);
    am_value v = OP_VALUES(b, AM_F32, am_shape_of(1, 2, 1, 1), 1, 3),
             mask = OP_VALUES(b, AM_BOOL, am_shape_of(1, 1, 1, 2), 0, 0);
    am_attention_inputs inputs = {.q = q, .k = k, .v = v, .mask = mask};
    OP_EXPECT(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}), AM_F32, am_shape_of(1, 1, 1, 1), 2);
}

/* A band of a long text and one key that all see; some queries see nothing. */
static void ops_attention__agrees_where_masks_leave_out_most_keys(void **state)
{
    enum { T = 70, S = 700, H = 2, D = 8 };
    am_attention_attributes a = {0};
    op_test_node node = {.op = AM_OP_ATTENTION, .attributes = &a, .input_count = 4};
    for (int i = 0; i < 3; i++) {
        node.inputs[i] = op_test_tensor(AM_F32, am_shape_of(1, i ? S : T, H, D));
        float *x = node.inputs[i].data;
        for (int k = 0; k < (i ? S : T) * H * D; k++) x[k] = sinf((float)(k * (i + 3)));
    }
    node.inputs[3] = op_test_tensor(AM_BOOL, am_shape_of(1, 1, T, S));
    uint8_t *mask = node.inputs[3].data;
    for (int t = 0; t < T; t++)
        for (int s = 0; s < S; s++) mask[t * S + s] = t % 9 != 4 && (abs(s - 10 * t) < 5 || s == 650);
    op_test_agree(&node);
    op_test_free(node.inputs, node.input_count);
}

static void ops_attention__refuses_what_does_not_fit(void **state)
{
    am_attention_attributes a = {0};
    op_test_refused(AM_OP_ATTENTION, &a, "q [1, 2, 3, 4], k [1, 5, 2, 4] and v [1, 5, 2, 4] do not fit",
                    OP_INPUTS(OP_F32(1, 2, 3, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4)));
    op_test_refused(AM_OP_ATTENTION, &a, "do not fit",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 3), OP_F32(1, 5, 2, 4)));
    op_test_refused(AM_OP_ATTENTION, &a, "do not fit",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 6, 2, 4)));
    op_test_refused(AM_OP_ATTENTION, &a, "input 0 must have rank 4",
                    OP_INPUTS(OP_F32(2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4)));
    op_test_refused(AM_OP_ATTENTION, &a, "input 3 must broadcast to [1, 2, 2, 5], found shape [2, 4]",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_BOOL(2, 4)));
    op_test_refused(AM_OP_ATTENTION, &a, "input 3 must be bool, found f32",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(2, 5)));
    op_test_refused(
        AM_OP_ATTENTION, &a, "input 5 must have shape [2], found [3]",
        OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_ABSENT, OP_ABSENT, OP_F32(3)));
    op_test_refused(AM_OP_ATTENTION, &a, "input 6 must have rank 0",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_ABSENT, OP_ABSENT,
                              OP_ABSENT, OP_INDEX(3, 1)));
    a.window = -1;
    op_test_refused(AM_OP_ATTENTION, &a, "a window of -1",
                    OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4)));
}

static void ops_attention__names_an_offset_beyond_the_cache(void **state)
{
    am_attention_attributes a = {.causal = true};
    op_test_run_fails(AM_OP_ATTENTION, &a, AM_OUT_OF_RANGE, "attention",
                      OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_ABSENT, OP_ABSENT,
                                OP_ABSENT, OFFSET(4)));
    op_test_run_fails(AM_OP_ATTENTION, &a, AM_OUT_OF_RANGE, "attention",
                      OP_INPUTS(OP_F32(1, 2, 2, 4), OP_F32(1, 5, 2, 4), OP_F32(1, 5, 2, 4), OP_ABSENT, OP_ABSENT,
                                OP_ABSENT, OFFSET(-1)));
}

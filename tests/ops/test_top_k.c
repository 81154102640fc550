#include "op_test.h"

static void ops_top_k__agrees_on_large_tensors(void **state)
{
    for (int smallest = 0; smallest < 2; smallest++) {
        op_test_compare_floats(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 1, .k = 9, .smallest = smallest},
                               OP_INPUTS(OP_F32(3, 1025)));
        op_test_compare(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 0, .k = 40, .smallest = smallest},
                        OP_INPUTS(OP_INDEX(7, 301, 2)));
        op_test_compare_floats(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 1, .k = 31, .smallest = smallest},
                               OP_INPUTS(OP_SPECIAL(AM_F32, 3, 31)));
    }
}

static void ops_top_k__prefers_the_lower_of_equals(void **state)
{
    am_value indices;
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_BOOL, am_shape_of(5), 0, 1, 0, 1, 1);
    am_top_k(b, x, -1, 4, false, &indices);
    OP_EXPECT(b, indices, AM_I32, am_shape_of(4), 1, 3, 4, 0);
}

/* Places that torch.topk takes on a cpu of x[i] = scale * i % 101 % values, `size` elements; sorted as we sort. */
typedef struct equals {
    int size, k, values, scale;
    double places[20];
} equals;

static const equals of_torch[] = {
    {40, 9, 3, 7, {2, 11, 14, 16, 19, 22, 25, 28, 30}},
    {100, 20, 4, 37, {4, 16, 17, 23, 29, 35, 36, 42, 48, 54, 55, 60, 67, 73, 74, 79, 80, 86, 98, 99}},
    {300, 4, 5, 53, {42, 44, 46, 48}}, /* by a heap */
    {9, 4, 1, 1, {4, 5, 6, 7}},
    {257, 5, 6, 11, {102, 108, 115, 122, 129}},
};

static void ops_top_k__takes_those_of_equals_that_torch_takes(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof of_torch / sizeof *of_torch; n++)
        for (int behind = 0; behind < 8; behind += 7) {
            const equals *e = &of_torch[n];
            double x[320];
            am_value places, length = AM_NONE;
            am_builder *b = op_test_builder();
            for (int i = 0; i < e->size + behind; i++) x[i] = i < e->size ? e->scale * i % 101 % e->values : 9;
            if (behind) length = am_scalar(b, AM_I32, e->size);
            am_top_k_of_torch(b, op_test_value(b, AM_F32, am_shape_of(e->size + behind), x), 0, e->k, length, &places);
            op_test_expect(b, places, AM_I32, am_shape_of(e->k), e->places);
        }
}

static void ops_top_k__gives_what_lies_behind_the_length_last(void **state)
{
    (void)state;
    am_value places;
    am_builder *b = op_test_builder();
    am_value x = OP_VALUES(b, AM_F32, am_shape_of(5), 1, 3, 9, 8, 7);
    am_top_k_of_torch(b, x, 0, 4, am_scalar(b, AM_I32, 2), &places);
    OP_EXPECT(b, places, AM_I32, am_shape_of(4), 1, 0, 2, 3);
}

static void ops_top_k__refuses_more_than_there_are(void **state)
{
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 0, .k = 4},
                    "cannot take 4 of the 3 elements along axis 0", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = 0, .k = -1}, "cannot take -1", OP_INPUTS(OP_F32(3)));
    op_test_refused(AM_OP_TOP_K, &(am_top_k_attributes){.axis = -1, .k = 1}, "axis -1", OP_INPUTS(OP_F32(3)));
}

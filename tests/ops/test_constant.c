#include "op_test.h"

static void ops_constant__copies_tables_into_the_graph(void **state)
{
    float table[3] = {1, -2, 0.5f};
    am_builder *b = op_test_builder();
    am_value x = am_constant_copy(b, AM_F32, am_shape_of(3), table);
    table[0] = 99;
    OP_EXPECT(b, x, AM_F32, am_shape_of(3), 1, -2, 0.5);
}

static void ops_constant__lends_weights(void **state)
{
    float table[2] = {1, 2};
    am_builder *b = op_test_builder();
    am_value x = am_add_number(b, am_constant_lent(b, "w", AM_F32, am_shape_of(2), table), 1);
    table[0] = 5;
    OP_EXPECT(b, x, AM_F32, am_shape_of(2), 6, 3);
}

static void ops_constant__makes_scalars_of_every_dtype(void **state)
{
    for (int dtype = 0; dtype < AM_DTYPE_COUNT; dtype++) {
        am_builder *b = op_test_builder();
        OP_EXPECT(b, am_scalar(b, (am_dtype)dtype, 1), (am_dtype)dtype, (am_shape){0}, 1);
    }
}

static void ops_constant__may_be_empty(void **state)
{
    am_builder *b = op_test_builder();
    OP_EXPECT(b, am_constant_copy(b, AM_F16, am_shape_of(3, 0), NULL), AM_F16, am_shape_of(3, 0), 0);
}

static void ops_constant__refuses_absurd_sizes(void **state)
{
    am_builder *b = op_test_builder();
    am_constant_copy(b, AM_F32, am_shape_of(INT64_C(1) << 40, INT64_C(1) << 40), NULL);
    op_test_builder_fails(b, AM_OUT_OF_RANGE, "too large");
    b = op_test_builder();
    am_constant_lent(b, "w", AM_F32, am_shape_of(-1), NULL);
    op_test_builder_fails(b, AM_OUT_OF_RANGE, "[-1]");
}

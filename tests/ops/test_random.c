#include "op_test.h"

static void ops_random__depends_on_seed_and_place_alone(void **state)
{
    for (int normal = 0; normal < 2; normal++) {
        am_builder *b = op_test_builder();
        am_value few = am_random(b, am_shape_of(4), 42, normal), many = am_random(b, am_shape_of(3, 5), 42, normal);
        am_value same = am_slice(b, am_reshape(b, many, am_shape_of(15)), 0, 0, 4);
        OP_EXPECT(b, am_binary(b, AM_EQUAL, few, same), AM_BOOL, am_shape_of(4), 1, 1, 1, 1);
    }
}

static void ops_random__has_the_moments_of_its_distribution(void **state)
{
    for (int normal = 0; normal < 2; normal++) {
        double mean = 0, square = 0;
        am_tensor y;
        am_graph *graph;
        op_test_node node = {.op = AM_OP_RANDOM,
                             .attributes =
                                 &(am_random_attributes){.shape = am_shape_of(100, 200), .seed = 3, .normal = normal}};
        am_test_expect_ok(op_test_graph(&node, &graph));
        am_test_expect_ok(op_test_run(graph, &node, NULL, &y));
        for (int64_t i = 0; i < 20000; i++) {
            double x = am_load_real(AM_F32, y.data, i);
            mean += x / 20000;
            square += x * x / 20000;
            assert_true(normal || (x >= 0 && x < 1));
        }
        assert_true(fabs(mean - (normal ? 0 : 0.5)) < 0.03);
        assert_true(fabs(square - mean * mean - (normal ? 1 : 1 / 12.0)) < 0.03);
        op_test_free(&y, 1);
        am_graph_destroy(graph);
    }
}

static void ops_random__refuses_absurd_sizes(void **state)
{
    am_builder *b = op_test_builder();
    am_random(b, am_shape_of(INT64_C(1) << 62), 1, false);
    op_test_builder_fails(b, AM_OUT_OF_RANGE, "random: a result of shape");
}

#include "op_test.h"

static void ops_input__may_be_an_output(void **state)
{
    float numbers[2] = {3, 4};
    am_graph *graph;
    am_cpu_program *program;
    am_builder *b = op_test_builder();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2));
    am_output(b, "y", x);
    am_output(b, "z", am_reshape(b, x, am_shape_of(2, 1)));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    am_test_expect_ok(am_cpu_program_create(graph, NULL, &program));
    am_test_expect_ok(am_cpu_program_run(program, &(am_tensor){AM_F32, am_shape_of(2), numbers}, NULL));
    numbers[0] = numbers[1] = 0; /* outputs are kept until the next run whatever becomes of the input */
    for (int i = 0; i < 2; i++) {
        const float *y = am_cpu_program_output(program, i).data;
        assert_true(y[0] == 3 && y[1] == 4);
    }
    am_cpu_program_destroy(program);
    am_graph_destroy(graph);
}

static void ops_input__keeps_its_place_when_unused(void **state)
{
    float used = 7;
    am_graph *graph;
    am_cpu_program *program;
    am_builder *b = op_test_builder();
    am_graph_input(b, "unused", AM_I32, am_shape_of(3));
    am_output(b, "y", am_add_number(b, am_graph_input(b, "x", AM_F32, (am_shape){0}), 1));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    assert_int_equal(graph->input_count, 2);
    assert_string_equal(graph->inputs[1].name, "x");
    am_test_expect_ok(am_cpu_program_create(graph, NULL, &program));
    am_tensor inputs[2] = {{AM_I32, am_shape_of(3), NULL}, {AM_F32, {0}, &used}};
    am_test_expect_ok(am_cpu_program_run(program, inputs, NULL));
    assert_true(*(const float *)am_cpu_program_output(program, 0).data == 8);
    am_cpu_program_destroy(program);
    am_graph_destroy(graph);
}

static void ops_input__refuses_negative_sizes(void **state)
{
    am_builder *b = op_test_builder();
    am_graph_input(b, "x", AM_F32, am_shape_of(2, -3));
    op_test_builder_fails(b, AM_OUT_OF_RANGE, "input: a result of shape [2, -3]");
}

#include "op_test.h"

static am_graph *finish(am_builder *b)
{
    am_graph *graph = NULL;
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

/* Carries s: sum = s + x[iteration] (x: [4] is an invariant); stacks the square of the sum; with a limit,
   goes on below 5. */
static am_graph *summing_body(bool has_condition)
{
    am_builder *b = op_test_builder();
    am_value i = am_graph_input(b, "i", AM_I32, (am_shape){0}), s = am_graph_input(b, "s", AM_F32, (am_shape){0});
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(4));
    am_value sum = am_add(b, s, am_gather(b, x, i, 0, false));
    if (has_condition) am_output(b, "more", am_binary_number(b, AM_LESS, sum, 5));
    am_output(b, "sum", sum);
    am_output(b, "square", am_mul(b, sum, sum));
    return finish(b);
}

static void expect_sums(int64_t trips, bool has_condition, const double *values)
{
    am_value outputs[2];
    am_builder *b = op_test_builder();
    am_value inputs[2] = {am_scalar(b, AM_F32, 1), OP_VALUES(b, AM_F32, am_shape_of(4), 1, 2, 3, 4)};
    am_loop_attributes a = {.trips = trips, .carried = 1, .has_condition = has_condition};
    am_loop(b, summing_body(has_condition), inputs, 2, &a, outputs);
    op_test_expect(b, am_concat2(b, am_reshape(b, outputs[0], am_shape_of(1)), outputs[1], 0), AM_F32,
                   am_shape_of(1 + trips), values);
}

static void ops_loop__carries_and_stacks(void **state)
{
    expect_sums(4, false, (const double[]){11, 4, 16, 49, 121});
    expect_sums(1, false, (const double[]){2, 4});
}

static void ops_loop__stops_when_told_to(void **state)
{
    expect_sums(4, true, (const double[]){7, 4, 16, 49, 0}); /* what would have been stacked after a stop is zero */
}

static void ops_loop__may_take_no_trips(void **state)
{
    expect_sums(0, false, (const double[]){1});
    expect_sums(0, true, (const double[]){1});
}

static void ops_loop__may_swap_what_it_carries(void **state)
{
    am_value outputs[2];
    am_builder *b = op_test_builder(), *inner = op_test_builder();
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_value x = am_graph_input(inner, "x", AM_I32, am_shape_of(2)),
             y = am_graph_input(inner, "y", AM_I32, am_shape_of(2));
    am_output(inner, "x", y);
    am_output(inner, "y", x);
    am_value inputs[2] = {OP_VALUES(b, AM_I32, am_shape_of(2), 1, 2), OP_VALUES(b, AM_I32, am_shape_of(2), 3, 4)};
    am_loop(b, finish(inner), inputs, 2, &(am_loop_attributes){.trips = 3, .carried = 2}, outputs);
    OP_EXPECT(b, am_concat(b, outputs, 2, 0), AM_I32, am_shape_of(4), 3, 4, 1, 2);
}

static void ops_loop__may_be_nested(void **state)
{
    am_value product, power;
    am_builder *b = op_test_builder(), *outer = op_test_builder();
    am_graph_input(outer, "i", AM_I32, (am_shape){0});
    am_value inputs[2] = {am_graph_input(outer, "s", AM_F32, (am_shape){0}),
                          OP_VALUES(outer, AM_F32, am_shape_of(4), 1, 1, 1, 1)};
    am_value sums[2];
    am_loop(outer, summing_body(false), inputs, 2, &(am_loop_attributes){.trips = 2, .carried = 1}, sums);
    am_output(outer, "s", sums[0]);
    am_value start = am_scalar(b, AM_F32, 0);
    am_loop(b, finish(outer), &start, 1, &(am_loop_attributes){.trips = 3, .carried = 1}, &product);
    power = am_add_number(b, product, 0);
    OP_EXPECT(b, power, AM_F32, (am_shape){0}, 6);
}

static void ops_loop__says_in_which_trip_it_failed(void **state)
{
    am_graph *graph;
    am_tensor found[2];
    float start = 0, x[4] = {0};
    am_builder *b = op_test_builder();
    am_value inputs[2] = {am_graph_input(b, "s", AM_F32, (am_shape){0}),
                          am_graph_input(b, "x", AM_F32, am_shape_of(4))},
             outputs[2];
    am_loop(b, summing_body(false), inputs, 2, &(am_loop_attributes){.trips = 5, .carried = 1}, outputs);
    am_output(b, "y", outputs[0]);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    op_test_node node = {
        .op = AM_OP_LOOP, .inputs = {{AM_F32, {0}, &start}, {AM_F32, am_shape_of(4), x}}, .input_count = 2};
    am_test_expect_error(op_test_run(graph, &node, NULL, found), AM_OUT_OF_RANGE,
                         "loop: trip 4: gather: index 4 at place 0 is outside of 0..3");
    am_graph_destroy(graph);
}

static void ops_loop__is_copied_with_its_body(void **state)
{
    am_graph *graph, *copy;
    am_buffer text = {0}, copied = {0};
    am_value outputs[2];
    am_builder *b = op_test_builder();
    am_value inputs[2] = {am_graph_input(b, "s", AM_F32, (am_shape){0}),
                          am_graph_input(b, "x", AM_F32, am_shape_of(4))};
    am_loop(b, summing_body(true), inputs, 2, &(am_loop_attributes){.trips = 4, .carried = 1, .has_condition = true},
            outputs);
    am_output(b, "y", outputs[1]);
    graph = finish(b);
    am_test_expect_ok(am_graph_expand(graph, NULL, NULL, &copy));
    am_graph_print(graph, &text);
    am_graph_destroy(graph); /* the copy owns all it needs */
    am_graph_print(copy, &copied);
    assert_string_equal(am_buffer_text(&text), am_buffer_text(&copied));
    am_graph_destroy(copy);
    am_buffer_deinit(&text);
    am_buffer_deinit(&copied);
}

/* The error of a loop over one carried [2] and one invariant scalar. */
static void refuse(am_graph *body, am_loop_attributes a, const char *part)
{
    am_value outputs[AM_OUTPUT_LIMIT];
    am_builder *b = op_test_builder();
    am_value inputs[2] = {am_graph_input(b, "s", AM_F32, am_shape_of(2)),
                          am_graph_input(b, "x", AM_F32, (am_shape){0})};
    am_loop(b, body, inputs, 2, &a, outputs);
    op_test_builder_fails(b, AM_INVALID_ARGUMENT, part);
}

static am_graph *body_of(am_dtype iteration, am_shape carried, am_dtype condition)
{
    am_builder *b = op_test_builder();
    am_value i = am_graph_input(b, "i", iteration, (am_shape){0}), s = am_graph_input(b, "s", AM_F32, carried);
    am_graph_input(b, "x", AM_F32, (am_shape){0});
    am_output(b, "more", am_cast(b, i, condition));
    am_output(b, "s", s);
    return finish(b);
}

static void ops_loop__refuses_bodies_that_do_not_fit(void **state)
{
    const am_loop_attributes a = {.trips = 1, .carried = 1, .has_condition = true};
    refuse(body_of(AM_I64, am_shape_of(2), AM_BOOL), a, "loop: input 0 of the body must be i32[], found i64[]");
    refuse(body_of(AM_I32, am_shape_of(3), AM_BOOL), a, "input 1 of the body must be f32[2], found f32[3]");
    refuse(body_of(AM_I32, am_shape_of(2), AM_F32), a, "output 0 of the body must be bool[], found f32[]");
    refuse(body_of(AM_I32, am_shape_of(2), AM_BOOL), (am_loop_attributes){.trips = 1, .carried = 1},
           "output 0 of the body must be f32[2], found bool[]");
    refuse(body_of(AM_I32, am_shape_of(2), AM_BOOL),
           (am_loop_attributes){.trips = -1, .carried = 1, .has_condition = true}, "trips -1");
    refuse(body_of(AM_I32, am_shape_of(2), AM_BOOL), (am_loop_attributes){.trips = 1, .carried = 3},
           "3 carried values, 2 inputs and 2 results");
    refuse(summing_body(false), a, "input 1 of the body must be f32[2], found f32[]");
}

static void ops_loop__needs_a_body_with_results(void **state)
{
    am_builder *inner = op_test_builder();
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_graph_input(inner, "s", AM_F32, am_shape_of(2));
    am_graph_input(inner, "x", AM_F32, (am_shape){0});
    refuse(finish(inner), (am_loop_attributes){.trips = 1}, "0 results, takes 1 to 64");
    am_builder *b = op_test_builder();
    am_loop(b, NULL, NULL, 0, &(am_loop_attributes){.trips = 1}, NULL);
    op_test_builder_fails(b, AM_INTERNAL, "loop: no body");
}

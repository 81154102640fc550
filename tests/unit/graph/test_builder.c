#include "graph/ops.h"
#include "test_support.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static am_builder *create(void)
{
    am_builder *b;
    am_test_expect_ok(am_builder_create(&b));
    return b;
}

static void expect_failure(am_builder *b, am_code code, const char *message)
{
    am_graph *graph = (am_graph *)&graph;
    am_status status = am_builder_finish(b, &graph);
    assert_null(graph);
    assert_int_equal(am_status_code(status), code);
    assert_string_equal(am_status_message(status), message);
    am_status_free(status);
    am_builder_destroy(b);
}

static am_graph *finish(am_builder *b)
{
    am_graph *graph = NULL;
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

/* --- errors --- */

static void graph_builder__keeps_the_first_error_with_its_scope(void **state)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, 3));
    am_scope(b, "layers.%d", 7);
    am_scope(b, "attention");
    assert_int_equal(am_add(b, x, am_graph_input(b, "y", AM_F32, am_shape_of(4))).id, 0);
    assert_true(am_builder_failed(b));
    am_end_scope(b);
    am_reshape(b, x, am_shape_of(5));
    am_builder_fail(b, am_error(AM_NOT_FOUND, "something later"));
    expect_failure(b, AM_INVALID_ARGUMENT, "layers.7.attention: binary: add: shapes [2, 3] and [4] do not fit");
}

static void graph_builder__does_nothing_after_an_error(void **state)
{
    am_value outputs[2] = {{5}, {5}};
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2));
    am_builder_fail(b, am_error(AM_UNSUPPORTED, "no such thing"));
    assert_int_equal(am_graph_input(b, "y", AM_F32, am_shape_of(2)).id, 0);
    assert_int_equal(am_graph_state_input(b, "s", AM_F32, am_shape_of(2)).id, 0);
    assert_int_equal(am_add(b, x, x).id, 0);
    assert_int_equal(am_scalar(b, AM_F32, 1).id, 0);
    assert_int_equal(am_iota(b, AM_I32, am_shape_of(3), 0, 0, 1).id, 0);
    outputs[0] = am_sort(b, x, 0, false, &outputs[1]);
    assert_true(outputs[0].id == 0 && outputs[1].id == 0);
    outputs[0] = am_softmax(b, am_matmul(b, AM_NONE, AM_NONE, false, false), -1);
    assert_int_equal(outputs[0].id, 0);
    am_state_update(b, AM_NONE, x);
    am_output(b, "x", x);
    expect_failure(b, AM_UNSUPPORTED, "no such thing");
}

static void graph_builder__names_missing_inputs(void **state)
{
    am_builder *b = create();
    am_add(b, am_scalar(b, AM_F32, 1), AM_NONE);
    expect_failure(b, AM_INTERNAL, "binary: input 1 is missing");
    b = create();
    am_add_node(b, AM_OP_CONCAT, NULL, 0, &(am_axis_attributes){0}, NULL);
    expect_failure(b, AM_INTERNAL, "concat: takes 1 to 256 inputs, found 0");
    b = create();
    am_output(b, "logits", AM_NONE);
    expect_failure(b, AM_INTERNAL, "output logits has no value");
}

static void graph_builder__refuses_results_beyond_memory(void **state)
{
    am_builder *b = create();
    am_value x = am_scalar(b, AM_F32, 1);
    am_broadcast(b, x, am_shape_of(INT64_C(1) << 30, INT64_C(1) << 28));
    am_matmul(b, am_broadcast(b, x, am_shape_of(INT64_C(1) << 32, 1)),
              am_broadcast(b, x, am_shape_of(1, INT64_C(1) << 32)), false, false);
    expect_failure(b, AM_OUT_OF_RANGE, "matmul: a result of shape [4294967296, 4294967296] is too large");
}

static void graph_builder__ignores_success(void **state)
{
    am_builder *b = create();
    am_builder_fail(b, NULL);
    assert_false(am_builder_failed(b));
    am_builder_destroy(b);
    am_builder_destroy(NULL);
}

/* --- scopes --- */

static void graph_builder__joins_scopes_with_dots(void **state)
{
    am_builder *b = create();
    assert_string_equal(am_scope_path(b), "");
    am_scope(b, "encoder");
    am_scope(b, "layer.%d", 3);
    assert_string_equal(am_scope_path(b), "encoder.layer.3");
    am_value x = am_scalar(b, AM_F32, 1);
    am_end_scope(b);
    am_output(b, "y", am_unary(b, AM_EXP, x));
    am_end_scope(b);
    am_end_scope(b); /* one too many does nothing */
    assert_string_equal(am_scope_path(b), "");
    am_graph *graph = finish(b);
    assert_string_equal(am_graph_producer(graph, x)->name, "encoder.layer.3");
    assert_string_equal(am_graph_producer(graph, graph->outputs[0].value)->name, "encoder");
    am_graph_destroy(graph);
}

static void graph_builder__bounds_scopes(void **state)
{
    char name[600];
    am_graph *graph;
    am_builder *b = create();
    for (int i = 0; i < 65; i++) am_scope(b, "a");
    am_test_expect_error(am_builder_finish(b, &graph), AM_INTERNAL, "scopes nested more than 64 deep");
    am_builder_destroy(b);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    b = create();
    am_scope(b, "%s", name);
    assert_false(am_builder_failed(b));
    am_scope(b, "%s", name);
    am_test_expect_error(am_builder_finish(b, &graph), AM_INTERNAL, "scope longer than 1024 bytes");
    am_builder_destroy(b);
}

/* --- weights --- */

static const float weights[6] = {1, 2, 3, 4, 5, 6};

static bool look_up(void *context, const char *name, am_tensor *out)
{
    ++*(int *)context;
    if (strcmp(name, "model.norm.weight") != 0) return false;
    *out = (am_tensor){AM_F32, am_shape_of(2, 3), (void *)(uintptr_t)weights};
    return true;
}

static bool look_up_integers(void *context, const char *name, am_tensor *out)
{
    static const int32_t numbers[2] = {1, 2};
    *out = (am_tensor){AM_I32, am_shape_of(2), (void *)(uintptr_t)numbers};
    return true;
}

static am_builder *create_with_weights(int *calls)
{
    am_builder *b = create();
    am_builder_set_weights(b, look_up, calls);
    am_scope(b, "model");
    am_scope(b, "norm");
    return b;
}

static void graph_builder__finds_weights_by_scope(void **state)
{
    int calls = 0;
    am_builder *b = create_with_weights(&calls);
    assert_true(am_has_weight(b, "weight"));
    assert_false(am_has_weight(b, "bias"));
    am_value w = am_weight(b, "weight", am_shape_of(2, -1));
    assert_int_equal(am_weight_optional(b, "bias", am_shape_of(2)).id, 0);
    assert_false(am_builder_failed(b));
    am_output(b, "w", w);
    am_graph *graph = finish(b);
    const am_constant_attributes *a = am_graph_producer(graph, w)->attributes;
    assert_string_equal(a->name, "model.norm.weight");
    assert_ptr_equal(a->data, weights); /* lent, not copied */
    assert_int_equal(calls, 4);
    am_graph_destroy(graph);
}

/* A model inside another: its whole names begin where it does. */
static void graph_builder__finds_whole_names_below_their_root(void **state)
{
    int calls = 0;
    am_builder *b = create_with_weights(&calls);
    am_end_scope(b);
    size_t root = am_weight_root_here(b);
    am_scope(b, "elsewhere");
    am_value inner = am_weight_absolute(b, "norm.weight", am_shape_of(2, 3));
    am_weight_root_restore(b, root);
    am_value outer = am_weight_absolute(b, "model.norm.weight", am_shape_of(2, 3));
    am_output(b, "inner", inner);
    am_output(b, "outer", outer);
    am_graph *graph = finish(b);
    for (int i = 0; i < 2; i++) {
        const am_constant_attributes *a = am_graph_producer(graph, graph->outputs[i].value)->attributes;
        assert_ptr_equal(a->data, weights);
    }
    am_graph_destroy(graph);
}

static void graph_builder__names_missing_weights(void **state)
{
    int calls = 0;
    am_builder *b = create_with_weights(&calls);
    am_weight(b, "bias", am_shape_of(-1, 3));
    expect_failure(b, AM_NOT_FOUND, "tensor model.norm.bias [-1, 3] is missing");
    b = create();
    am_weight(b, "weight", am_shape_of(3));
    expect_failure(b, AM_NOT_FOUND, "tensor weight [3] is missing");
}

static void graph_builder__counts_missing_weights_and_lists_the_first(void **state)
{
    am_builder *b = create();
    for (int i = 0; i < 9; i++) {
        am_scope(b, "%d", i);
        am_value w = am_weight(b, "weight", am_shape_of(-1, 3));
        assert_false(am_builder_failed(b)); /* so that the rest is looked for, too */
        assert_int_equal(am_rank(b, w), 2);
        am_end_scope(b);
    }
    expect_failure(b, AM_NOT_FOUND,
                   "9 tensors are missing: 0.weight [-1, 3], 1.weight [-1, 3], 2.weight [-1, 3], 3.weight [-1, 3], "
                   "4.weight [-1, 3], 5.weight [-1, 3] and 3 more");
}

static void graph_builder__wants_weights_of_real_numbers(void **state)
{
    am_builder *b = create();
    am_builder_set_weights(b, look_up_integers, NULL);
    am_weight(b, "weight", am_shape_of(2));
    expect_failure(b, AM_UNSUPPORTED, "tensor weight: expected a dtype of real numbers, found I32");
}

static void graph_builder__takes_tables_of_integers_where_they_are_wanted(void **state)
{
    int calls = 0;
    am_builder *b = create();
    am_builder_set_weights(b, look_up_integers, NULL);
    assert_int_equal(am_dtype_of(b, am_weight_integers(b, "weight", am_shape_of(2))), AM_I32);
    assert_false(am_builder_failed(b));
    am_weight_integers(b, "weight", am_shape_of(5));
    expect_failure(b, AM_INVALID_FILE, "tensor weight: expected shape [5], found [2]");
    b = create_with_weights(&calls);
    am_weight_integers(b, "weight", am_shape_of(-1, 3));
    expect_failure(b, AM_UNSUPPORTED, "model.norm: tensor model.norm.weight: expected a dtype of integers, found F32");
}

static void graph_builder__checks_shapes_of_weights(void **state)
{
    int calls = 0;
    am_builder *b = create_with_weights(&calls);
    am_weight(b, "weight", am_shape_of(-1, 4));
    expect_failure(b, AM_INVALID_FILE, "model.norm: tensor model.norm.weight: expected shape [-1, 4], found [2, 3]");
    b = create_with_weights(&calls);
    am_weight_optional(b, "weight", am_shape_of(6)); /* may be absent, but not wrong */
    expect_failure(b, AM_INVALID_FILE, "model.norm: tensor model.norm.weight: expected shape [6], found [2, 3]");
}

static void graph_builder__has_no_weights_after_an_error(void **state)
{
    int calls = 0;
    am_builder *b = create_with_weights(&calls);
    am_builder_fail(b, am_error(AM_UNSUPPORTED, "x"));
    assert_false(am_has_weight(b, "weight"));
    assert_int_equal(am_weight(b, "weight", am_shape_of(2, 3)).id, 0);
    assert_int_equal(calls, 0);
    expect_failure(b, AM_UNSUPPORTED, "model.norm: x");
}

/* --- inputs, outputs, states --- */

static void graph_builder__drops_what_nothing_needs(void **state)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2)),
             s = am_graph_state_input(b, "s", AM_F32, am_shape_of(2));
    am_graph_input(b, "unused", AM_F32, am_shape_of(9));
    am_unary(b, AM_EXP, x);
    am_value kept = am_unary(b, AM_NEG, x), updated = am_add(b, s, kept);
    am_unary(b, AM_SIN, updated);
    am_state_update(b, s, updated);
    am_output(b, "y", kept);
    am_graph *graph = finish(b);
    assert_int_equal(graph->node_count, 5); /* three inputs, neg, add */
    assert_int_equal(graph->input_count, 2);
    for (int i = 0; i < graph->node_count; i++)
        assert_int_equal(graph->values[graph->nodes[i].first_output.id].producer, i);
    am_graph_destroy(graph);
}

static void graph_builder__drops_loops_with_their_bodies(void **state)
{
    am_value y;
    am_builder *b = create(), *inner = create();
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_output(inner, "x", am_graph_input(inner, "x", AM_F32, (am_shape){0}));
    am_value x = am_graph_input(b, "x", AM_F32, (am_shape){0});
    am_loop(b, finish(inner), &x, 1, &(am_loop_attributes){.trips = 2, .carried = 1}, &y);
    am_output(b, "x", x);
    am_graph *graph = finish(b);
    assert_int_equal(graph->node_count, 1);
    am_graph_destroy(graph);
}

static void graph_builder__keeps_the_order_of_inputs_and_outputs(void **state)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2)), y = am_graph_input(b, "y", AM_I32, am_shape_of(3));
    am_output(b, "second", y);
    am_output(b, "first", x);
    am_output(b, "again", x);
    am_graph *graph = finish(b);
    assert_int_equal(graph->output_count, 3);
    assert_string_equal(graph->inputs[1].name, "y");
    assert_string_equal(graph->outputs[0].name, "second");
    assert_int_equal(graph->outputs[0].value.id, y.id);
    assert_int_equal(graph->outputs[1].value.id, graph->outputs[2].value.id);
    assert_int_equal(am_graph_value(graph, y)->dtype, AM_I32);
    am_graph_destroy(graph);
}

static void graph_builder__takes_outputs_back(void **state)
{
    const am_named_value *taken;
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2)), y = am_graph_input(b, "y", AM_I32, am_shape_of(3));
    am_output(b, "kept", x);
    assert_int_equal(am_output_count(b), 1);
    assert_int_equal(am_outputs_take(b, 1, &taken), 0);
    am_output(b, "first", y);
    am_output(b, "second", x);
    assert_int_equal(am_outputs_take(b, 1, &taken), 2);
    am_output(b, "renamed", taken[1].value); /* over the place of the first one, which stays as it was taken */
    assert_string_equal(taken[0].name, "first");
    assert_int_equal(taken[0].value.id, y.id);
    assert_string_equal(taken[1].name, "second");
    am_graph *graph = finish(b);
    assert_int_equal(graph->output_count, 2);
    assert_string_equal(graph->outputs[1].name, "renamed");
    assert_int_equal(graph->outputs[1].value.id, x.id);
    am_graph_destroy(graph);
}

static void graph_builder__refuses_updates_that_do_not_fit(void **state)
{
    am_builder *b = create();
    am_value s = am_graph_state_input(b, "cache", AM_F32, am_shape_of(2));
    am_state_update(b, s, am_graph_input(b, "x", AM_F32, am_shape_of(3)));
    expect_failure(b, AM_INTERNAL, "a state is updated by a value of another dtype or shape");
    b = create();
    s = am_graph_state_input(b, "cache", AM_F32, am_shape_of(2));
    am_state_update(b, s, am_graph_input(b, "x", AM_F16, am_shape_of(2)));
    expect_failure(b, AM_INTERNAL, "a state is updated by a value of another dtype or shape");
}

static void graph_builder__knows_dtypes_and_shapes(void **state)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F16, am_shape_of(2, 3, 5));
    am_shape shape = am_shape_of_value(b, x);
    assert_int_equal(am_dtype_of(b, x), AM_F16);
    assert_true(am_rank(b, x) == 3 && shape.dims[2] == 5);
    assert_true(am_dim(b, x, 0) == 2 && am_dim(b, x, -1) == 5);
    assert_true(am_dim(b, x, 3) == 1 && am_dim(b, x, -4) == 1);
    assert_true(am_dtype_of(b, AM_NONE) == AM_F32 && am_rank(b, AM_NONE) == 0 && am_dim(b, AM_NONE, 0) == 1);
    am_builder_destroy(b);
}

static void graph_builder__grows_beyond_its_first_arrays(void **state)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2));
    for (int i = 0; i < 1000; i++) x = am_add_number(b, x, i + 1);
    for (int i = 0; i < 100; i++) am_output(b, "y", x);
    am_graph *graph = finish(b);
    assert_int_equal(graph->node_count, 2001);
    assert_int_equal(graph->output_count, 100);
    am_graph_destroy(graph);
}

/* --- memory --- */

static am_status build_much(am_graph **out)
{
    am_builder *b, *inner;
    am_graph *body = NULL;
    *out = NULL;
    AM_TRY(am_builder_create(&inner));
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_output(inner, "x", am_softmax(inner, am_graph_input(inner, "x", AM_F32, am_shape_of(3)), 0));
    am_status status = am_builder_finish(inner, &body);
    am_builder_destroy(inner);
    if (status) return status;
    status = am_builder_create(&b);
    if (status) {
        am_graph_destroy(body);
        return status;
    }
    am_scope(b, "scope");
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(3)),
             s = am_graph_state_input(b, "s", AM_F32, am_shape_of(3)), y = AM_NONE;
    am_loop(b, body, &x, 1, &(am_loop_attributes){.trips = 2, .carried = 1}, &y);
    am_state_update(b, s, am_add_number(b, am_add(b, s, y), 1));
    am_output(b, "y", am_softmax(b, y, 0));
    am_graph *graph = NULL;
    status = am_builder_finish(b, &graph);
    am_builder_destroy(b);
    if (!status) status = am_graph_expand(graph, NULL, NULL, out);
    am_graph_destroy(graph);
    return status;
}

static void graph_builder__survives_every_failed_allocation(void **state)
{
    int failures = 0;
    for (;; failures++) {
        am_graph *graph;
        am_memory_fail_after(failures);
        am_status status = build_much(&graph);
        am_memory_fail_after(-1);
        if (!status) {
            am_graph_destroy(graph);
            break;
        }
        assert_null(graph);
        am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        assert_in_range(failures, 0, 9999);
    }
    assert_in_range(failures, 20, 9999);
}

/* Files hold weights and biases in 16 bits; kernels for them would be needed for every combination. */
static void graph_builder__layers_take_what_is_beside_x_in_its_dtype(void **state)
{
    (void)state;
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, 4)),
             image = am_graph_input(b, "image", AM_F32, am_shape_of(1, 4, 9)),
             bias = am_graph_input(b, "bias", AM_BF16, am_shape_of(4)),
             weight = am_graph_input(b, "weight", AM_BF16, am_shape_of(4, 4)),
             kernel = am_graph_input(b, "kernel", AM_F16, am_shape_of(4, 4, 3));
    am_convolution_attributes options = {0};
    am_output(b, "linear", am_linear_op(b, x, weight, bias, AM_NONE, &(am_linear_attributes){0}));
    am_output(b, "convolution", am_convolution(b, image, kernel, bias, &options));
    am_output(b, "transposed", am_conv_transpose(b, image, kernel, AM_NONE, &options));
    am_graph *graph = finish(b);
    for (int i = 0; i < 3; i++) {
        const am_node *node = am_graph_producer(graph, graph->outputs[i].value);
        am_value second = node->inputs[1], third = node->inputs[2];
        assert_int_equal(graph->values[second.id].dtype, node->op == AM_OP_LINEAR ? AM_BF16 : AM_F32);
        if (third.id) assert_int_equal(graph->values[third.id].dtype, AM_F32);
    }
    am_graph_destroy(graph);
}

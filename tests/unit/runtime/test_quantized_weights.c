#include "test_support.h"

#include "base/memory.h"
#include "base/prng.h"
#include "graph/builder.h"
#include "runtime/quantized_weights.h"
#include "targets/cpu/program.h"

#include <math.h>
#include <stdlib.h>

enum { T = 3, K = 64, N = 80, SMALL = 24 };

/* The weights of the graphs here. */
static struct {
    float tied[N * K], turned[K * N], small[SMALL * K], bias[N], x[T * K];
} numbers;

static void fill(void)
{
    am_uniform_floats(1, -1, 1, N * K, numbers.tied);
    am_uniform_floats(2, -1, 1, N * K, numbers.turned);
    am_uniform_floats(3, -1, 1, SMALL * K, numbers.small);
    am_uniform_floats(4, -1, 1, N, numbers.bias);
    am_uniform_floats(5, -1, 1, T * K, numbers.x);
}

static am_value lent(am_builder *b, const char *name, am_shape shape, const float *data)
{
    return am_constant_lent(b, name, AM_F32, shape, data);
}

/* A linear, one with its weight the other way round, one with few rows, and one of the inputs. */
static am_graph *build(bool reads_rows)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(T, K));
    am_value tied = lent(b, "embed.weight", am_shape_of(N, K), numbers.tied);
    am_value bias = lent(b, "bias", am_shape_of(N), numbers.bias);
    am_value y = am_linear_op(b, x, tied, bias, AM_NONE, &(am_linear_attributes){.activation = AM_RELU});
    am_value z = am_linear_op(b, x, lent(b, "turned", am_shape_of(K, N), numbers.turned), AM_NONE, y,
                              &(am_linear_attributes){.in_out = true});
    am_output(b, "y", z);
    am_output(b, "small",
              am_linear_op(b, x, lent(b, "small", am_shape_of(SMALL, K), numbers.small), AM_NONE, AM_NONE,
                           &(am_linear_attributes){0}));
    am_output(b, "scores", am_linear_op(b, x, x, AM_NONE, AM_NONE, &(am_linear_attributes){0}));
    if (reads_rows)
        am_output(b, "rows", am_embedding_op(b, tied, am_constant_copy(b, AM_I32, am_shape_of(1), &(int32_t){0})));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static int count(const am_graph *graph, am_op_kind op)
{
    int found = 0;
    for (int i = 0; i < graph->node_count; i++) found += graph->nodes[i].op == op;
    return found;
}

static const am_node *first(const am_graph *graph, am_op_kind op)
{
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].op == op) return &graph->nodes[i];
    fail_msg("no node %s", am_op_of(op)->name);
    return NULL;
}

static const void *weight_of(const am_graph *graph)
{
    const am_node *node = first(graph, AM_OP_QUANTIZED_LINEAR);
    return ((const am_constant_attributes *)am_graph_producer(graph, node->inputs[1])->attributes)->data;
}

static void runtime_quantized_weights__replaces_linears_of_large_constants(void **state)
{
    am_quantized_weights *weights = NULL;
    fill();
    am_graph *graph = build(false);
    am_test_expect_ok(am_quantized_weights_apply(&weights, &(am_weight_options){.format.bits = 8}, &graph));
    assert_int_equal(count(graph, AM_OP_QUANTIZED_LINEAR), 2);
    assert_int_equal(count(graph, AM_OP_LINEAR), 2);
    assert_int_equal(am_quantized_weights_summary(weights).count, 2);
    am_graph_destroy(graph);
    graph = build(false);
    am_test_expect_ok(
        am_quantized_weights_apply(&weights, &(am_weight_options){.format.bits = 4, .minimum = 1}, &graph));
    assert_int_equal(count(graph, AM_OP_QUANTIZED_LINEAR), 3);
    assert_int_equal(am_quantized_weights_summary(weights).count, 5);
    am_graph_destroy(graph);
    am_quantized_weights_destroy(weights);
}

/* What a second graph reads was made for the first; a source that an embedding reads too is counted. */
static void runtime_quantized_weights__are_made_once(void **state)
{
    const am_weight_options options = {.format.bits = 8};
    am_quantized_weights *weights = NULL;
    fill();
    am_graph *prefill = build(false), *decode = build(true);
    am_test_expect_ok(am_quantized_weights_apply(&weights, &options, &prefill));
    am_quantized_summary before = am_quantized_weights_summary(weights);
    assert_int_equal(before.replaced_bytes, 2 * N * K * sizeof(float));
    assert_int_equal(before.bytes, 2 * (N * K + N * K / 32 * 2));
    am_test_expect_ok(am_quantized_weights_apply(&weights, &options, &decode));
    am_quantized_summary after = am_quantized_weights_summary(weights);
    assert_ptr_equal(weight_of(prefill), weight_of(decode));
    assert_int_equal(after.count, before.count);
    assert_int_equal(after.replaced_bytes, N * K * sizeof(float));
    am_graph_destroy(prefill);
    am_graph_destroy(decode);
    am_quantized_weights_destroy(weights);
}

static am_tensor output_of(const am_graph *graph, am_cpu_program **program)
{
    const am_tensor x = {AM_F32, am_shape_of(T, K), numbers.x};
    am_test_expect_ok(am_cpu_program_create(graph, NULL, program));
    am_test_expect_ok(am_cpu_program_run(*program, &x, NULL));
    return am_cpu_program_output(*program, 0);
}

static void runtime_quantized_weights__change_little(void **state)
{
    static const struct {
        am_weight_format format;
        double most; /* share of the root mean square */
    } rows[] = {{{8, false}, 0.01}, {{4, false}, 0.12}, {{4, true}, 0.12}};
    fill();
    for (int i = 0; i < 3; i++) {
        am_quantized_weights *weights = NULL;
        am_cpu_program *exact, *rounded;
        am_graph *graph = build(false), *other = build(false);
        am_test_expect_ok(am_quantized_weights_apply(&weights, &(am_weight_options){.format = rows[i].format}, &other));
        am_tensor expected = output_of(graph, &exact), found = output_of(other, &rounded);
        double errors = 0, squares = 0;
        for (int64_t k = 0; k < T * N; k++) {
            double e = (double)((float *)expected.data)[k], f = (double)((float *)found.data)[k];
            errors += (e - f) * (e - f);
            squares += e * e;
        }
        assert_true(errors > 0 && sqrt(errors / squares) < rows[i].most);
        am_cpu_program_destroy(exact);
        am_cpu_program_destroy(rounded);
        am_graph_destroy(graph);
        am_graph_destroy(other);
        am_quantized_weights_destroy(weights);
    }
}

/* x, through a linear in each of three trips. */
static am_graph *build_loop(void)
{
    am_builder *b, *body;
    am_graph *graph, *inside;
    am_value out;
    am_test_expect_ok(am_builder_create(&body));
    am_graph_input(body, "iteration", AM_I32, (am_shape){0});
    am_value x = am_graph_input(body, "x", AM_F32, am_shape_of(T, K));
    am_value w = lent(body, "inside", am_shape_of(K, K), numbers.tied);
    am_output(body, "x", am_linear_op(body, x, w, AM_NONE, AM_NONE, &(am_linear_attributes){0}));
    am_test_expect_ok(am_builder_finish(body, &inside));
    am_builder_destroy(body);
    am_test_expect_ok(am_builder_create(&b));
    x = am_graph_input(b, "x", AM_F32, am_shape_of(T, K));
    am_loop(b, inside, &x, 1, &(am_loop_attributes){.trips = 3, .carried = 1}, &out);
    am_output(b, "y", out);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void runtime_quantized_weights__are_read_in_loops_too(void **state)
{
    am_quantized_weights *weights = NULL;
    fill();
    am_graph *graph = build_loop();
    am_test_expect_ok(am_quantized_weights_apply(&weights, &(am_weight_options){.format.bits = 4}, &graph));
    const am_loop_attributes *loop = first(graph, AM_OP_LOOP)->attributes;
    assert_int_equal(count(loop->body, AM_OP_QUANTIZED_LINEAR), 1);
    assert_int_equal(am_quantized_weights_summary(weights).replaced_bytes, K * K * sizeof(float));
    am_graph_destroy(graph);
    am_quantized_weights_destroy(weights);
}

/* Whatever allocation fails, the error is that, and the graph is the one before. */
static void runtime_quantized_weights__survive_want_of_memory(void **state)
{
    am_status status = NULL;
    fill();
    for (int64_t n = 0; n == 0 || status; n++) {
        am_quantized_weights *weights = NULL;
        am_graph *graph = build(true);
        am_status_free(status);
        am_memory_fail_after(n);
        status = am_quantized_weights_apply(&weights, &(am_weight_options){.format = {4, true}}, &graph);
        am_memory_fail_after(-1);
        if (status) assert_int_equal(am_status_code(status), AM_OUT_OF_MEMORY);
        assert_int_equal(count(graph, AM_OP_QUANTIZED_LINEAR), status ? 0 : 2);
        am_graph_destroy(graph);
        am_quantized_weights_destroy(weights);
    }
}

static void runtime_quantized_weights__reads_names_of_formats(void **state)
{
    am_weight_format format;
    am_test_expect_ok(am_weight_format_read("int4-asymmetric", &format));
    assert_true(format.bits == 4 && format.asymmetric);
    am_test_expect_ok(am_weight_format_read("int8", &format));
    assert_true(format.bits == 8 && !format.asymmetric);
    am_test_expect_ok(am_weight_format_read("auto", &format));
    assert_int_equal(format.bits, 0);
    am_test_expect_ok(am_weight_format_read(NULL, &format));
    assert_int_equal(format.bits, 0);
    am_test_expect_error(am_weight_format_read("int3", &format), AM_INVALID_ARGUMENT,
                         "weights: expected auto, int8, int4 or int4-asymmetric, found \"int3\"");
}

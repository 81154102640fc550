#include "op_test.h"

#include "op_target.h"

#include "base/prng.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- tensors --- */

am_tensor op_test_tensor(am_dtype dtype, am_shape shape)
{
    size_t bytes = am_tensor_bytes(dtype, &shape);
    am_tensor tensor = {dtype, shape, aligned_alloc(64, (bytes + 64) / 64 * 64)};
    assert_non_null(tensor.data);
    return tensor;
}

void op_test_free(am_tensor *tensors, int count)
{
    for (int i = 0; i < count; i++) {
        free(tensors[i].data);
        tensors[i].data = NULL;
    }
}

static double largest(am_dtype dtype)
{
    return dtype == AM_F64 ? DBL_MAX : dtype == AM_F16 ? 65504 : dtype == AM_BF16 ? 0x1.fep127 : FLT_MAX;
}

static double special(am_dtype dtype, uint64_t i)
{
    const double numbers[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-40, largest(dtype), -largest(dtype)};
    return numbers[i % (sizeof numbers / sizeof numbers[0])];
}

static void fill(const am_tensor *tensor, const op_test_input *input, uint64_t seed)
{
    int64_t count = am_shape_count(&tensor->shape);
    for (int64_t i = 0; i < count; i++) {
        double value = input->low + (input->high - input->low) * am_uniform(seed, (uint64_t)i);
        if (input->special && i % 3 == 0) value = special(tensor->dtype, am_splitmix(seed, (uint64_t)i) >> 8);
        if (am_dtype_is_float(tensor->dtype)) am_store_real(tensor->dtype, tensor->data, i, value);
        else am_store_int(tensor->dtype, tensor->data, i, (int64_t)floor(value));
    }
}

static op_test_node generate(am_op_kind op, const void *attributes, const op_test_input *inputs, int count)
{
    op_test_node node = {.op = op, .attributes = attributes, .input_count = count};
    const char *name = am_op_of(op)->name;
    uint64_t seed = am_fnv1a(name, strlen(name));
    assert_in_range(count, 0, OP_TEST_INPUTS);
    for (int i = 0; i < count; i++) {
        if (inputs[i].absent) continue;
        node.inputs[i] = op_test_tensor(inputs[i].dtype, inputs[i].shape);
        fill(&node.inputs[i], &inputs[i], seed + (uint64_t)i);
    }
    return node;
}

/* --- graphs --- */

static void build_node(am_builder *b, const op_test_node *node)
{
    am_value inputs[OP_TEST_INPUTS] = {AM_NONE}, outputs[AM_OUTPUT_LIMIT] = {AM_NONE};
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].data)
            inputs[i] = am_graph_input(b, am_test_format("x%d", i), node->inputs[i].dtype, node->inputs[i].shape);
    am_add_node(b, node->op, inputs, node->input_count, node->attributes, outputs);
    for (int i = 0; i < AM_OUTPUT_LIMIT && outputs[i].id; i++) am_output(b, am_test_format("y%d", i), outputs[i]);
}

am_status op_test_graph(const op_test_node *node, am_graph **out)
{
    am_builder *b;
    AM_TRY(am_builder_create(&b));
    build_node(b, node);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

static am_status run_program(am_cpu_program *program, const am_graph *graph, const op_test_node *node,
                             am_tensor *outputs)
{
    am_tensor inputs[OP_TEST_INPUTS];
    int count = 0;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].data) inputs[count++] = node->inputs[i];
    assert_int_equal(count, graph->input_count);
    AM_TRY(am_cpu_program_run(program, inputs, NULL));
    for (int i = 0; i < graph->output_count; i++) {
        am_tensor result = am_cpu_program_output(program, i);
        outputs[i] = op_test_tensor(result.dtype, result.shape);
        size_t bytes = am_tensor_bytes(result.dtype, &result.shape);
        if (bytes) memcpy(outputs[i].data, result.data, bytes);
    }
    return NULL;
}

am_status op_test_run(const am_graph *graph, const op_test_node *node, const am_cpu_program_options *options,
                      am_tensor *outputs)
{
    am_cpu_program *program;
    AM_TRY(am_cpu_program_create(graph, options, &program));
    am_status status = run_program(program, graph, node, outputs);
    am_cpu_program_destroy(program);
    return status;
}

/* --- comparing --- */

bool op_test_is_exact(am_op_kind op)
{
    switch (op) {
    case AM_OP_CONSTANT:
    case AM_OP_INPUT:
    case AM_OP_IOTA:
    case AM_OP_RESHAPE:
    case AM_OP_PERMUTE:
    case AM_OP_BROADCAST:
    case AM_OP_SLICE:
    case AM_OP_CONCAT:
    case AM_OP_PAD:
    case AM_OP_CAST:
    case AM_OP_SELECT:
    case AM_OP_ARG_REDUCE:
    case AM_OP_SORT:
    case AM_OP_TOP_K:
    case AM_OP_SEARCH_SORTED:
    case AM_OP_UNFOLD:
    case AM_OP_GATHER:
    case AM_OP_EMBEDDING:
        return true;
    default:
        return false;
    }
}

/* Root mean square of the finite elements. */
static double rms_of(const am_tensor *tensor)
{
    int64_t count = am_shape_count(&tensor->shape), finite = 0;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = am_load_real(tensor->dtype, tensor->data, i);
        if (!isfinite(value) || fabs(value) > 1e30) continue;
        sum += value * value;
        finite++;
    }
    return finite ? sqrt(sum / (double)finite) : 0;
}

double op_test_absolute(am_op_kind op, const am_tensor *expected, double relative)
{
    bool alone = op == AM_OP_UNARY || op == AM_OP_BINARY || op == AM_OP_GATED_ACTIVATION;
    if (relative <= 0 || !am_dtype_is_float(expected->dtype)) return 0;
    double rms = rms_of(expected);
    return relative * (alone && rms > 1 ? 1 : rms) + (expected->dtype == AM_F16 ? 0x1p-24 : 0x1p-126);
}

static bool is_close(double expected, double found, double tolerance)
{
    if (isnan(expected) || isnan(found)) return isnan(expected) && isnan(found);
    if (isinf(expected) || isinf(found)) return expected == found;
    return fabs(expected - found) <= tolerance;
}

void op_test_expect_close(const am_tensor *expected, const am_tensor *found, double relative, double absolute,
                          const char *what)
{
    char expected_text[AM_SHAPE_TEXT], found_text[AM_SHAPE_TEXT];
    int64_t count = am_shape_count(&expected->shape);
    if (!am_shape_equal(&expected->shape, &found->shape))
        fail_msg("%s: expected shape %s, found %s", what, am_shape_text(&expected->shape, expected_text),
                 am_shape_text(&found->shape, found_text));
    if (!am_dtype_is_float(expected->dtype)) {
        for (int64_t i = 0; i < count; i++) {
            int64_t e = am_load_int(expected->dtype, expected->data, i), f = am_load_int(found->dtype, found->data, i);
            if (e != f)
                fail_msg("%s: element %lld of %s: expected %lld, found %lld", what, (long long)i,
                         am_shape_text(&expected->shape, expected_text), (long long)e, (long long)f);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        double e = am_load_real(expected->dtype, expected->data, i), f = am_load_real(found->dtype, found->data, i);
        double tolerance = isfinite(e) ? relative * fabs(e) + absolute : 0;
        if (!is_close(e, f, tolerance))
            fail_msg("%s: element %lld of %s: expected %.17g, found %.17g, off by %g, allowed %g", what, (long long)i,
                     am_shape_text(&expected->shape, expected_text), e, f, fabs(e - f), tolerance);
    }
}

/* What single precision inside, and one rounding at the end, may cost. */
static double kernel_tolerance(am_dtype dtype)
{
    return dtype == AM_F64 ? 1e-12 : dtype == AM_F16 ? 0x1p-10 : dtype == AM_BF16 ? 0x1p-7 : 4e-6;
}

/* Whether there are kernels that round what they multiply to BF16. */
static bool multiplies(am_op_kind op)
{
    return op == AM_OP_LINEAR || op == AM_OP_ATTENTION || op == AM_OP_CONVOLUTION;
}

/* An expansion rounds after every step of it. */
static double expansion_tolerance(am_dtype dtype)
{
    return dtype == AM_F64 ? 1e-12 : dtype == AM_F16 ? 0x1p-7 : dtype == AM_BF16 ? 0x1p-4 : 4e-6;
}

static void compare_outputs(const am_graph *graph, const op_test_node *node, const am_tensor *expected,
                            const am_cpu_program_options *options, double (*tolerance)(am_dtype), const char *what)
{
    am_tensor found[AM_OUTPUT_LIMIT];
    am_test_expect_ok(op_test_run(graph, node, options, found));
    for (int i = 0; i < graph->output_count; i++) {
        const char *name = am_test_format("%s, %s, output %d", am_op_of(node->op)->name, what, i);
        assert_int_equal(expected[i].dtype, found[i].dtype);
        double allowed = op_test_is_exact(node->op) ? 0 : tolerance(expected[i].dtype);
        op_test_expect_close(&expected[i], &found[i], allowed, op_test_absolute(node->op, &expected[i], allowed), name);
    }
    op_test_free(found, graph->output_count);
}

static void compare_expansion(const am_graph *graph, const op_test_node *node, const am_tensor *expected)
{
    am_graph *expanded;
    const am_cpu_program_options reference = {.reference_only = true};
    am_test_expect_ok(am_graph_expand(graph, NULL, NULL, &expanded));
    for (int i = 0; i < expanded->node_count; i++) assert_false(am_op_of(expanded->nodes[i].op)->is_composite);
    compare_outputs(expanded, node, expected, &reference, expansion_tolerance, "expanded");
    am_graph_destroy(expanded);
}

/* Levels that this machine has. What kernel runs is in the message, as it may be the reference itself. */
static void compare_levels(const am_graph *graph, const op_test_node *node, const am_tensor *expected)
{
    for (int isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        const am_cpu_program_options options = {.isa = (am_isa)isa};
        if (!am_micro_of(options.isa)) continue;
        compare_outputs(graph, node, expected, &options, kernel_tolerance, am_isa_name(options.isa));
    }
}

/* Products of numbers rounded to BF16 are off by a share of all that is added up, so that single results may be far
   off: what is compared is the root mean square. */
static void compare_rounded(const am_graph *graph, const op_test_node *node, const am_tensor *expected)
{
    enum { STEPS = 4 };
    if (graph->output_count != 1 || expected->dtype != AM_F32) return;
    for (int isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        am_tensor found;
        double off = 0;
        const am_cpu_program_options options = {.isa = (am_isa)isa, .allows_bf16 = true, .prepare = isa % 2};
        if (!am_micro_of(options.isa)) continue;
        am_test_expect_ok(op_test_run(graph, node, &options, &found));
        int64_t count = am_shape_count(&found.shape);
        for (int64_t i = 0; i < count; i++) {
            double difference = ((const float *)found.data)[i] - ((const float *)expected->data)[i];
            if (isfinite(difference)) off += difference * difference;
        }
        off = count ? sqrt(off / (double)count) : 0;
        if (off > STEPS * 0x1p-8 * rms_of(expected))
            fail_msg("%s, %s, rounded to BF16: off by %g, numbers are around %g", am_op_of(node->op)->name,
                     am_isa_name(options.isa), off, rms_of(expected));
        op_test_free(&found, 1);
    }
}

static void agree(const am_graph *graph, const op_test_node *node)
{
    am_tensor expected[AM_OUTPUT_LIMIT];
    am_test_expect_ok(op_test_run(graph, node, &(am_cpu_program_options){.reference_only = true}, expected));
    if (op_target_is_wanted()) {
        op_target_try(graph, node, expected);
        op_test_free(expected, graph->output_count);
        return;
    }
    compare_levels(graph, node, expected);
    if (multiplies(node->op)) compare_rounded(graph, node, expected);
    if (am_op_of(node->op)->is_composite) compare_expansion(graph, node, expected);
    op_test_free(expected, graph->output_count);
}

void op_test_agree(const op_test_node *node)
{
    am_graph *graph;
    am_test_expect_ok(op_test_graph(node, &graph));
    agree(graph, node);
    am_graph_destroy(graph);
}

void op_test_compare(am_op_kind op, const void *attributes, const op_test_input *inputs, int count)
{
    op_test_node node = generate(op, attributes, inputs, count);
    op_test_agree(&node);
    op_test_free(node.inputs, count);
}

void op_test_compare_floats(am_op_kind op, const void *attributes, const op_test_input *inputs, int count)
{
    static const am_dtype dtypes[] = {AM_F64, AM_F32, AM_F16, AM_BF16};
    for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
        op_test_input changed[OP_TEST_INPUTS];
        for (int i = 0; i < count; i++) {
            changed[i] = inputs[i];
            if (inputs[i].dtype == AM_F32) changed[i].dtype = dtypes[d];
        }
        op_test_compare(op, attributes, changed, count);
    }
}

/* --- errors --- */

void op_test_refused(am_op_kind op, const void *attributes, const char *part, const op_test_input *inputs, int count)
{
    am_graph *graph = NULL;
    am_builder *b = op_test_builder();
    am_value values[OP_TEST_INPUTS] = {AM_NONE};
    for (int i = 0; i < count; i++)
        if (!inputs[i].absent)
            values[i] = am_graph_input(b, am_test_format("x%d", i), inputs[i].dtype, inputs[i].shape);
    assert_false(am_builder_failed(b));
    am_add_node(b, op, values, count, attributes, NULL);
    am_status status = am_builder_finish(b, &graph);
    const char *name = am_test_format("%s: ", am_op_of(op)->name);
    if (strncmp(am_status_message(status), name, strlen(name)) != 0)
        fail_msg("a message beginning with '%s', found '%s'", name, am_status_message(status));
    am_test_expect_error(status, AM_INVALID_ARGUMENT, part);
    assert_null(graph);
    am_builder_destroy(b);
}

void op_test_run_fails(am_op_kind op, const void *attributes, am_code code, const char *part,
                       const op_test_input *inputs, int count)
{
    am_graph *graph;
    am_tensor outputs[AM_OUTPUT_LIMIT];
    op_test_node node = generate(op, attributes, inputs, count);
    am_test_expect_ok(op_test_graph(&node, &graph));
    am_test_expect_error(op_test_run(graph, &node, &(am_cpu_program_options){.reference_only = true}, outputs), code,
                         part);
    for (int isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++)
        if (am_micro_of((am_isa)isa))
            am_test_expect_error(op_test_run(graph, &node, &(am_cpu_program_options){.isa = (am_isa)isa}, outputs),
                                 code, part);
    am_graph_destroy(graph);
    op_test_free(node.inputs, count);
}

/* --- small graphs by hand --- */

am_builder *op_test_builder(void)
{
    am_builder *b;
    am_test_expect_ok(am_builder_create(&b));
    return b;
}

am_value op_test_value(am_builder *b, am_dtype dtype, am_shape shape, const double *values)
{
    am_tensor tensor = op_test_tensor(dtype, shape);
    am_convert(dtype, tensor.data, AM_F64, values, am_shape_count(&shape));
    am_value value = am_constant_copy(b, dtype, shape, tensor.data);
    op_test_free(&tensor, 1);
    return value;
}

void op_test_expect(am_builder *b, am_value value, am_dtype dtype, am_shape shape, const double *values)
{
    am_graph *graph;
    am_tensor found, expected = {AM_F64, shape, (void *)(uintptr_t)values};
    op_test_node node = {.op = AM_OP_CONSTANT};
    am_output(b, "y", value);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    am_test_expect_ok(op_test_run(graph, &node, &(am_cpu_program_options){.reference_only = true}, &found));
    assert_int_equal(found.dtype, dtype);
    op_test_expect_close(&expected, &found, 0, 0, "result");
    op_test_free(&found, 1);
    am_graph_destroy(graph);
}

void op_test_builder_fails(am_builder *b, am_code code, const char *part)
{
    am_graph *graph = NULL;
    am_test_expect_error(am_builder_finish(b, &graph), code, part);
    assert_null(graph);
    am_builder_destroy(b);
}

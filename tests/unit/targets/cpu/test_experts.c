/* Experts: rows times the weights that they name, which are joined of constants and never made one. */
#include "check.h"
#include "programs.h"

enum { EXPERTS = 5, CHOICES = 2 };

typedef struct sizes {
    int64_t rows, M, K;
    am_dtype dtype; /* of weights */
    bool joined;    /* of one constant for each expert, two of them before the others; else one constant has all */
    bool shows;     /* the weight is an output, too */
} sizes;

static am_value weight_of(am_builder *b, const sizes *s)
{
    am_value parts[EXPERTS];
    if (!s->joined) return program_numbers_of(b, s->dtype, am_shape_of(EXPERTS, s->M, s->K), -0.5, 0.5);
    for (int i = 0; i < EXPERTS; i++)
        parts[i] = am_unsqueeze(b, program_numbers_of(b, s->dtype, am_shape_of(s->M, s->K), -0.5, 0.5), 0);
    am_value first = am_concat(b, parts, 2, 0), others = am_concat(b, parts + 2, EXPERTS - 2, 0);
    return am_concat2(b, first, others, 0);
}

/* One layer whose experts read the same row, and one that reads what they gave. */
static am_graph *build(const sizes *s)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(s->rows, s->K));
    am_value experts = am_graph_input(b, "experts", AM_I32, am_shape_of(s->rows, CHOICES));
    am_value weight = weight_of(b, s), bias = program_numbers(b, am_shape_of(EXPERTS, s->M), -0.5, 0.5);
    sizes back = *s;
    back.M = s->K, back.K = s->M;
    am_value inner = am_grouped_matmul(b, x, experts, weight, bias);
    am_output(b, "inner", inner);
    am_output(b, "y", am_grouped_matmul(b, inner, experts, weight_of(b, &back), AM_NONE));
    if (s->shows) am_output(b, "weight", weight);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

/* Experts of the rows: the first ones get most, the last but one none. */
static void choose(int32_t *experts, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        experts[i * CHOICES] = (int32_t)(i % 7 == 3 ? EXPERTS - 1 : i % 2);
        experts[i * CHOICES + 1] = 2;
    }
}

static void check_program(const am_graph *graph, const sizes *s, const am_cpu_program_options *options,
                          const am_tensor *inputs, am_cpu_program *expected)
{
    am_cpu_program *found = program_run(graph, options, inputs);
    const char *kernel = options->allows_bf16 ? "grouped_matmul_bf16" : "grouped_matmul_f32";
    assert_int_equal(program_steps(found, kernel), 2);
    for (int i = 0; i < graph->output_count; i++) {
        am_tensor y = am_cpu_program_output(found, i), z = am_cpu_program_output(expected, i);
        if (y.dtype == AM_F32) check_near_together(&y, &z, options->allows_bf16 ? 0.02 : 1e-6, graph->outputs[i].name);
        else assert_memory_equal(y.data, z.data, am_tensor_bytes(y.dtype, &y.shape));
    }
    am_shape all = am_shape_of(EXPERTS, s->M, s->K);
    size_t weights = 2 * am_tensor_bytes(s->dtype, &all); /* a copy of both would take */
    if (!options->prepare && !s->shows) assert_true(am_cpu_program_bytes(found) < weights);
    am_cpu_program_destroy(found);
}

static void check_sizes(am_isa isa, const sizes *s)
{
    am_graph *graph = build(s);
    float *x = check_floats(AT_END, s->rows * s->K);
    int32_t *experts = (int32_t *)check_floats(AT_END, s->rows * CHOICES);
    check_fill(ORDINARY, x, s->rows * s->K);
    choose(experts, s->rows);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(s->rows, s->K), x},
                                {AM_I32, am_shape_of(s->rows, CHOICES), experts}};
    am_cpu_program *expected = program_run(graph, &(am_cpu_program_options){.reference_only = true}, inputs);
    for (int way = 0; way < 4; way++)
        check_program(graph, s, &(am_cpu_program_options){.isa = isa, .allows_bf16 = way & 1, .prepare = way & 2},
                      inputs, expected);
    am_cpu_program_destroy(expected);
    am_graph_destroy(graph);
    check_release();
}

static void cpu_experts__read_their_weights_where_they_are(void **state)
{
    (void)state;
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        check_sizes(isa, &(sizes){1, 70, 96, AM_BF16, .joined = true});
        check_sizes(isa, &(sizes){1, 130, 67, AM_F32, .joined = true});
        check_sizes(isa, &(sizes){9, 96, 130, AM_BF16, .joined = true});
        check_sizes(isa, &(sizes){9, 66, 130, AM_F16, .joined = false});
        check_sizes(isa, &(sizes){40, 200, 400, AM_F32, .joined = false});
        check_sizes(isa, &(sizes){100, 200, 300, AM_BF16, .joined = true});
        check_sizes(isa, &(sizes){150, 33, 64, AM_BF16, .joined = true, .shows = true});
    }
}

static void cpu_experts__that_are_not_there_are_named(void **state)
{
    (void)state;
    const sizes s = {3, 64, 64, AM_F32, .joined = true};
    am_graph *graph = build(&s);
    float *x = check_floats(AT_END, s.rows * s.K);
    int32_t experts[] = {0, 1, 2, 3, 4, EXPERTS};
    check_fill(ORDINARY, x, s.rows * s.K);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(s.rows, s.K), x}, {AM_I32, am_shape_of(s.rows, CHOICES), experts}};
    am_cpu_program *program;
    am_test_expect_ok(am_cpu_program_create(graph, &(am_cpu_program_options){.prepare = true}, &program));
    am_test_expect_error(am_cpu_program_run(program, inputs, NULL), AM_OUT_OF_RANGE,
                         "index 5 at place 5 is outside of 0..4");
    am_cpu_program_destroy(program);
    am_graph_destroy(graph);
    check_release();
}

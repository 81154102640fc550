/* Functions and sums that a linear layer takes into its pass, and such as it must leave, beside the kernels that define
   the ops. */
#include "check.h"
#include "programs.h"

static am_value numbers(am_builder *b, am_shape shape)
{
    return program_numbers(b, shape, -0.5, 0.5);
}

static am_value linear(am_builder *b, am_value x, int64_t out, int64_t in, am_unary_fn fn)
{
    return am_linear_op(b, x, numbers(b, am_shape_of(out, in)), numbers(b, am_shape_of(out)), AM_NONE,
                        &(am_linear_attributes){.activation = fn});
}

typedef struct sizes {
    int64_t rows, K, N;
} sizes;

/* All of what follows a layer comes into its pass. */
static void build_taken(am_builder *b, am_value x, sizes s)
{
    am_shape shape = am_shape_of(2, s.rows, s.N);
    am_value other = numbers(b, shape), factors = numbers(b, am_shape_of(s.N));
    am_output(b, "sum", am_add(b, linear(b, x, s.N, s.K, AM_IDENTITY), other));
    am_output(b, "sum_turned", am_add(b, x, linear(b, x, s.K, s.K, AM_TANH)));
    am_output(b, "function", am_unary(b, AM_GELU, linear(b, x, s.N, s.K, AM_IDENTITY)));
    am_output(b, "both", am_add(b, am_unary(b, AM_SILU, linear(b, x, s.N, s.K, AM_IDENTITY)), other));
    am_output(b, "scaled", am_mul(b, linear(b, x, s.N, s.K, AM_IDENTITY), factors));
    am_value scaled = am_mul(b, am_reshape(b, factors, am_shape_of(1, s.N)), linear(b, x, s.N, s.K, AM_IDENTITY));
    am_output(b, "scaled_sum", am_add(b, scaled, other));
}

/* Nothing does. */
static void build_left(am_builder *b, am_value x, sizes s)
{
    am_value other = numbers(b, am_shape_of(2, s.rows, s.N)), y = linear(b, x, s.N, s.K, AM_IDENTITY);
    am_output(b, "two_readers", am_add(b, y, y));
    am_output(b, "repeats", am_add(b, linear(b, x, s.N, s.K, AM_IDENTITY), numbers(b, am_shape_of(s.N))));
    am_output(b, "grows", am_add(b, linear(b, x, s.N, s.K, AM_IDENTITY), numbers(b, am_shape_of(3, 2, s.rows, s.N))));
    am_output(b, "product", am_mul(b, linear(b, x, s.N, s.K, AM_IDENTITY), other));
    am_output(b, "difference", am_sub(b, linear(b, x, s.N, s.K, AM_IDENTITY), other));
    am_output(b, "second_function", am_unary(b, AM_TANH, linear(b, x, s.N, s.K, AM_RELU)));
}

static void check_sizes(am_isa isa, sizes s, void (*build)(am_builder *b, am_value x, sizes s), int pointwise)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    build(b, am_graph_input(b, "x", AM_F32, am_shape_of(2, s.rows, s.K)), s);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    float *numbers_of_x = check_floats(AT_END, 2 * s.rows * s.K);
    check_fill(ORDINARY, numbers_of_x, 2 * s.rows * s.K);
    const am_tensor x = {AM_F32, am_shape_of(2, s.rows, s.K), numbers_of_x};
    am_cpu_program *expected = program_run(graph, &(am_cpu_program_options){.reference_only = true}, &x);
    for (int way = 0; way < 4; way++) {
        const am_cpu_program_options options = {.isa = isa, .prepare = way % 2, .allows_bf16 = way >= 2};
        am_cpu_program *found = program_run(graph, &options, &x);
        assert_int_equal(program_steps(found, "binary_f32") + program_steps(found, "unary_f32"), pointwise);
        for (int i = 0; i < graph->output_count; i++) {
            am_tensor y = am_cpu_program_output(found, i), to = am_cpu_program_output(expected, i);
            check_near_together(&y, &to, way >= 2 ? 0.02 : 1e-6, graph->outputs[i].name);
        }
        am_cpu_program_destroy(found);
    }
    am_cpu_program_destroy(expected);
    am_graph_destroy(graph);
    check_release();
}

static void check_levels(void (*build)(am_builder *b, am_value x, sizes s), int pointwise)
{
    static const sizes all[] = {{1, 16, 30}, {2, 200, 70}, {3, 33, 7}, {150, 64, 130}, {230, 520, 65}};
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++)
        for (size_t i = 0; i < sizeof all / sizeof *all && check_micro_of(isa); i++)
            check_sizes(isa, all[i], build, pointwise);
}

static void cpu_tails__a_layer_takes_what_follows(void **state)
{
    (void)state;
    check_levels(build_taken, 0);
}

static void cpu_tails__a_layer_leaves_what_it_cannot_take(void **state)
{
    (void)state;
    check_levels(build_left, 6);
}

/* --- chains --- */

static const int64_t rows_of_x = 3, lines_of_x = 70, columns_of_x = 45;

/* Functions and arithmetic on x [rows, lines, columns]: operands of the same shape, of the last dimensions, of one
   number, on either side; more than one pass holds; what repeats otherwise, is read twice or given out. */
static void build_chains(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of(rows_of_x, lines_of_x, columns_of_x);
    am_value same = numbers(b, shape), lines = numbers(b, am_shape_of(1, lines_of_x, columns_of_x));
    am_value columns = numbers(b, am_shape_of(columns_of_x)), one = program_numbers(b, am_shape_of(1, 1), 2, 3);
    am_value y = am_sub(b, am_unary(b, AM_TANH, x), same);
    y = am_unary(b, AM_EXP, am_sub(b, columns, y));
    am_output(b, "arithmetic", am_div(b, one, am_add(b, y, one)));
    for (int i = 0; i < 7; i++) y = am_unary(b, i % 2 ? AM_SIN : AM_TANH, y);
    y = am_mul(b, am_mul(b, lines, x), y);
    am_output(b, "long", y);
    am_value rows = numbers(b, am_shape_of(rows_of_x, 1, columns_of_x));
    y = am_add(b, am_unary(b, AM_SILU, am_mul(b, x, rows)), rows);
    am_output(b, "rows", am_unary(b, AM_TANH, y));
    y = am_unary(b, AM_TANH, y); /* read twice, then by itself */
    y = am_mul(b, y, am_unary(b, AM_SIN, y));
    am_output(b, "grows",
              am_add(b, am_unary(b, AM_TANH, y), numbers(b, am_shape_of(2, rows_of_x, lines_of_x, columns_of_x))));
}

static void cpu_tails__chains_of_single_elements(void **state)
{
    (void)state;
    am_builder *b;
    am_graph *graph;
    int64_t count = rows_of_x * lines_of_x * columns_of_x;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    build_chains(b, am_graph_input(b, "x", AM_F32, am_shape_of(rows_of_x, lines_of_x, columns_of_x)));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    float *numbers_of_x = check_floats(AT_END, count);
    check_fill(ORDINARY, numbers_of_x, count);
    const am_tensor x = {AM_F32, am_shape_of(rows_of_x, lines_of_x, columns_of_x), numbers_of_x};
    am_cpu_program *expected = program_run(graph, &(am_cpu_program_options){.reference_only = true}, &x);
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        am_cpu_program *found = program_run(graph, &(am_cpu_program_options){.isa = isa, .prepare = true}, &x);
        assert_int_equal(program_steps(found, "unary_f32") + program_steps(found, "binary_f32"), 11);
        for (int i = 0; i < graph->output_count; i++) {
            am_tensor y = am_cpu_program_output(found, i), to = am_cpu_program_output(expected, i);
            check_near_together(&y, &to, 1e-6, graph->outputs[i].name);
        }
        am_cpu_program_destroy(found);
    }
    am_cpu_program_destroy(expected);
    am_graph_destroy(graph);
    check_release();
}

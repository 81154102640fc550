/* Numbers that stay in BF16 between kernels: rounded once for all that read them, or given so by the kernel before. */
#include "check.h"
#include "programs.h"

static am_value numbers(am_builder *b, am_shape shape)
{
    return program_numbers(b, shape, -0.5, 0.5);
}

static am_value linear(am_builder *b, am_value x, int64_t out, int64_t in, am_unary_fn fn, am_value residual)
{
    return am_linear_op(b, x, numbers(b, am_shape_of(out, in)), numbers(b, am_shape_of(out)), residual,
                        &(am_linear_attributes){.activation = fn});
}

/* `shows`: what is between two linear layers is an output, too, so that it is there as floats. */
static am_graph *build(int64_t rows, int64_t K, int64_t wide, bool shows)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, rows, K));
    am_value q = linear(b, x, 12, K, AM_IDENTITY, AM_NONE), k = linear(b, x, 7, K, AM_RELU, AM_NONE);
    am_value inner = linear(b, x, wide, K, AM_TANH, AM_NONE); /* the same however it is rounded */
    am_value flat = am_reshape(b, inner, am_shape_of(2 * rows, wide));
    am_output(b, "q", q);
    am_output(b, "k", k);
    am_output(b, "y", linear(b, flat, K, wide, AM_IDENTITY, am_reshape(b, x, am_shape_of(2 * rows, K))));
    if (shows) am_output(b, "inner", inner);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

/* Outputs of a program with numbers in BF16 where that is allowed. */
static am_cpu_program *run(const am_graph *graph, am_isa isa, bool allows, bool prepares, const am_tensor *x)
{
    const am_cpu_program_options options = {.isa = isa, .allows_bf16 = allows, .prepare = prepares};
    return program_run(graph, &options, x);
}

static void check_sizes(am_isa isa, int64_t rows, int64_t K, int64_t wide)
{
    am_graph *hidden = build(rows, K, wide, false), *shown = build(rows, K, wide, true);
    float *numbers_of_x = check_floats(AT_END, 2 * rows * K);
    check_fill(ORDINARY, numbers_of_x, 2 * rows * K);
    const am_tensor x = {AM_F32, am_shape_of(2, rows, K), numbers_of_x};
    am_cpu_program *exact = run(hidden, isa, false, true, &x), *kept = run(hidden, isa, true, true, &x),
                   *rounded = run(shown, isa, true, false, &x);
    assert_int_equal(program_steps(exact, "round_bf16"), 0);
    assert_int_equal(program_steps(kept, "round_bf16"), K % 2 == 0);
    assert_int_equal(program_steps(rounded, "round_bf16"), (K % 2 == 0) + (wide % 2 == 0));
    assert_int_equal(program_steps(kept, "linear_bf16"), 4);
    for (int i = 0; i < 3; i++) {
        am_tensor expected = am_cpu_program_output(exact, i), found = am_cpu_program_output(kept, i),
                  again = am_cpu_program_output(rounded, i);
        check_near_together(&found, &expected, 0.02, hidden->outputs[i].name);
        assert_memory_equal(found.data, again.data, am_tensor_bytes(found.dtype, &found.shape));
    }
    am_cpu_program_destroy(exact), am_cpu_program_destroy(kept), am_cpu_program_destroy(rounded);
    am_graph_destroy(hidden), am_graph_destroy(shown);
    check_release();
}

static void cpu_rounded__numbers_are_rounded_once_and_kept(void **state)
{
    (void)state;
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        check_sizes(isa, 1, 16, 30);
        check_sizes(isa, 3, 34, 200);
        check_sizes(isa, 150, 64, 258);
        check_sizes(isa, 5, 33, 40);
        check_sizes(isa, 5, 32, 41);
    }
}

/* --- convolutions with channels last --- */

static am_value convolve(am_builder *b, am_value x, int64_t out, int64_t in, int64_t kernel, int64_t padding,
                         int groups)
{
    const am_convolution_attributes a = {.padding_before = am_shape_of(padding, padding),
                                         .padding_after = am_shape_of(padding, padding),
                                         .groups = groups};
    return am_convolution(b, x, numbers(b, am_shape_of(out, in / groups, kernel, kernel)), numbers(b, am_shape_of(out)),
                          &a);
}

/* Rounded by two kernels, then for one and for two that read it, a sum that stays as it is, and what has odd groups. */
static am_graph *build_convolutions(void)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, 3, 19, 21));
    am_value y = am_unary(b, AM_RELU, convolve(b, x, 70, 3, 3, 1, 1)); /* odd: rounds pieces, not x */
    am_value inner = am_unary(b, AM_GELU, convolve(b, y, 34, 70, 3, 1, 1));
    y = am_add(b, convolve(b, inner, 70, 34, 1, 0, 1), y);
    am_value shared = am_unary(b, AM_RELU, convolve(b, y, 132, 70, 1, 0, 2));
    am_value left = convolve(b, shared, 36, 132, 1, 0, 1), right = convolve(b, shared, 36, 132, 3, 1, 2);
    y = am_unary(b, AM_RELU, am_add(b, left, right));
    y = convolve(b, am_unary(b, AM_TANH, convolve(b, y, 15, 36, 1, 0, 3)), 12, 15, 1, 0, 3); /* five of a group */
    am_output(b, "y", y);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void cpu_rounded__numbers_stay_so_between_convolutions(void **state)
{
    (void)state;
    am_graph *graph = build_convolutions();
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        float *numbers_of_x = check_floats(AT_END, 2 * 3 * 19 * 21);
        check_fill(ORDINARY, numbers_of_x, 2 * 3 * 19 * 21);
        const am_tensor x = {AM_F32, am_shape_of(2, 3, 19, 21), numbers_of_x};
        am_cpu_program *exact = run(graph, isa, false, true, &x), *kept = run(graph, isa, true, true, &x);
        assert_int_equal(program_steps(kept, "round_bf16"), 1); /* what the one with 35 channels a group gives */
        am_tensor expected = am_cpu_program_output(exact, 0), found = am_cpu_program_output(kept, 0);
        check_near_together(&found, &expected, 0.06, "y"); /* eight layers */
        am_cpu_program_destroy(exact), am_cpu_program_destroy(kept);
        check_release();
    }
    am_graph_destroy(graph);
}

/* Norms of groups and functions between convolutions over time, and a linear layer along what is no row of a
   convolution with channels last. */
static am_graph *build_over_time(int64_t T, bool has_function)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    const am_convolution_attributes a = {.stride = am_shape_of(2)};
    const am_norm_attributes groups = {.kind = AM_NORM_GROUP, .groups = 22, .eps = 1e-5};
    am_value y = am_graph_input(b, "x", AM_F32, am_shape_of(2, 6, 4 * T + 3));
    y = am_convolution(b, y, numbers(b, am_shape_of(44, 6, 5)), AM_NONE, &a);
    y = am_norm_op(b, y, numbers(b, am_shape_of(44)), numbers(b, am_shape_of(44)), AM_NONE, AM_NONE, &groups);
    if (has_function) y = am_unary(b, AM_GELU, y);
    y = am_unary(b, AM_GELU, am_convolution(b, y, numbers(b, am_shape_of(70, 44, 2)), numbers(b, am_shape_of(70)), &a));
    y = am_convolution(b, y, numbers(b, am_shape_of(40, 70, 1)), numbers(b, am_shape_of(40)),
                       &(am_convolution_attributes){0});
    am_output(b, "y", linear(b, y, 8, T, AM_IDENTITY, AM_NONE));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void cpu_rounded__numbers_stay_so_over_time(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        int64_t T = way / 2 ? 150 : 10, count = 2 * 6 * (4 * T + 3);
        am_graph *graph = build_over_time(T, way % 2);
        for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
            if (!check_micro_of(isa)) continue;
            float *numbers_of_x = check_floats(AT_END, count);
            check_fill(ORDINARY, numbers_of_x, count);
            const am_tensor x = {AM_F32, am_shape_of(2, 6, 4 * T + 3), numbers_of_x};
            am_cpu_program *exact = run(graph, isa, false, true, &x), *kept = run(graph, isa, true, true, &x);
            assert_int_equal(program_steps(kept, "round_bf16"), 1); /* for the linear layer */
            am_tensor expected = am_cpu_program_output(exact, 0), found = am_cpu_program_output(kept, 0);
            check_near_together(&found, &expected, 0.03, "y");
            am_cpu_program_destroy(exact), am_cpu_program_destroy(kept);
            check_release();
        }
        am_graph_destroy(graph);
    }
}

/* --- kernels beside products --- */

/* A norm read by two layers and a sum, one read by layers alone, a gated activation, attention, and a function after a
   layer. */
static am_graph *build_block(int64_t rows, int64_t C, int64_t heads)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, rows, C));
    const am_norm_attributes layer = {.kind = AM_NORM_LAYER, .eps = 1e-5}, rms = {.kind = AM_NORM_RMS, .eps = 1e-5};
    am_value h = am_norm_op(b, x, numbers(b, am_shape_of(C)), numbers(b, am_shape_of(C)), AM_NONE, AM_NONE, &layer);
    am_shape split = am_shape_of(2, rows, heads, C / heads);
    am_value q = am_reshape(b, linear(b, h, C, C, AM_IDENTITY, AM_NONE), split);
    am_value k = am_reshape(b, linear(b, h, C, C, AM_IDENTITY, AM_NONE), split);
    am_value y = am_attention_op(b, &(am_attention_inputs){.q = q, .k = k, .v = k}, &(am_attention_attributes){0});
    y = am_add(b, linear(b, am_reshape(b, y, am_shape_of(2, rows, C)), C, C, AM_IDENTITY, AM_NONE), h);
    am_value n = am_norm_op(b, y, numbers(b, am_shape_of(C)), AM_NONE, AM_NONE, AM_NONE, &rms);
    am_value gate = linear(b, n, 3 * C, C, AM_IDENTITY, AM_NONE), up = linear(b, n, 3 * C, C, AM_IDENTITY, AM_NONE);
    am_value wide = am_gated_activation(b, AM_SILU, gate, up);
    y = am_add(b, y, linear(b, wide, C, 3 * C, AM_IDENTITY, AM_NONE));
    wide = am_unary(b, AM_GELU, linear(b, y, 2 * C, C, AM_IDENTITY, AM_NONE));
    am_output(b, "y", linear(b, wide, C, 2 * C, AM_IDENTITY, AM_NONE));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void check_block(am_isa isa, int64_t rows, int64_t C, int64_t heads)
{
    am_graph *graph = build_block(rows, C, heads);
    float *numbers_of_x = check_floats(AT_END, 2 * rows * C);
    check_fill(ORDINARY, numbers_of_x, 2 * rows * C);
    const am_tensor x = {AM_F32, am_shape_of(2, rows, C), numbers_of_x};
    am_cpu_program *exact = run(graph, isa, false, true, &x), *kept = run(graph, isa, true, true, &x);
    assert_int_equal(program_steps(kept, "round_bf16"), 1); /* of the second sum, which nothing else rounds */
    assert_int_equal(program_steps(kept, "binary_f32") + program_steps(kept, "unary_f32"), 0);
    am_tensor expected = am_cpu_program_output(exact, 0), found = am_cpu_program_output(kept, 0);
    check_near_together(&found, &expected, 0.03, "y");
    am_cpu_program_destroy(exact), am_cpu_program_destroy(kept);
    am_graph_destroy(graph);
    check_release();
}

static void cpu_rounded__norms_gates_and_attention_give_it(void **state)
{
    (void)state;
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        check_block(isa, 1, 24, 3);
        check_block(isa, 21, 64, 2);
        check_block(isa, 150, 48, 3);
    }
}

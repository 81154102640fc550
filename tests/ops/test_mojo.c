/* Of the Mojo library as a whole; that its kernels agree with the reference is tested as for every target. */
#include "op_test.h"

#include "base/prng.h"
#include "base/threads.h"
#include "targets/mojo/kernels.h"
#include "targets/mojo/library.h"

#include <stdlib.h>
#include <string.h>

static void need_mojo(void)
{
    setenv("ANYMODEL_CACHE", am_test_format("%s.cache/anymodel", am_test_program()), 1);
    am_status status = am_mojo_library_open(NULL);
    if (!status) return;
    if (am_status_code(status) != AM_UNAVAILABLE) fail_msg("%s", am_status_message(status));
    print_message("%s\n", am_status_message(status));
    am_status_free(status);
    skip();
}

static void ops_mojo__builds_the_library(void **state)
{
    need_mojo();
    assert_non_null(strstr(am_mojo_library_text(), "Mojo"));
    assert_true(am_mojo_vector_width() >= 4);
    for (int i = 0; i < AM_MOJO_FUNCTION_COUNT; i++) assert_non_null(am_mojo_function_of((am_mojo_function)i));
}

static am_tensor random_tensor(am_dtype dtype, am_shape shape, uint64_t seed)
{
    am_tensor tensor = op_test_tensor(dtype, shape);
    for (int64_t i = 0; i < am_shape_count(&shape); i++)
        am_store_real(dtype, tensor.data, i, am_uniform(seed, (uint64_t)i) - 0.5);
    return tensor;
}

/* Linear with constants for weight and bias. */
static am_graph *linear_graph(int64_t M, const am_tensor *weight, const am_tensor *bias,
                              const am_linear_attributes *options)
{
    am_graph *graph;
    am_builder *b = op_test_builder();
    int64_t K = weight->shape.dims[options->in_out ? 0 : 1];
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(M, K));
    am_value w = am_constant_lent(b, "w", weight->dtype, weight->shape, weight->data);
    am_output(b, "y",
              am_linear_op(b, x, w, am_constant_lent(b, "b", AM_F32, bias->shape, bias->data), AM_NONE, options));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static am_tensor run_graph(const am_graph *graph, const am_tensor *inputs, bool prepare)
{
    am_cpu_program *program;
    const am_cpu_program_options options = {
        .reference_only = true, .kernel_for = am_mojo_kernel_or_null, .prepare = prepare};
    am_test_expect_ok(am_cpu_program_create(graph, &options, &program));
    am_test_expect_ok(am_cpu_program_run(program, inputs, NULL));
    am_tensor found = am_cpu_program_output(program, 0), y = op_test_tensor(found.dtype, found.shape);
    memcpy(y.data, found.data, am_tensor_bytes(y.dtype, &y.shape));
    am_cpu_program_destroy(program);
    return y;
}

/* All rows at once, with and without a packed weight, and each row alone: the same bits. */
static void expect_same_bits(int64_t M, int64_t N, int64_t K, am_dtype dtype, bool in_out)
{
    const am_linear_attributes options = {in_out, AM_GELU};
    am_tensor w = random_tensor(dtype, in_out ? am_shape_of(K, N) : am_shape_of(N, K), 1);
    am_tensor bias = random_tensor(AM_F32, am_shape_of(N), 2), x = random_tensor(AM_F32, am_shape_of(M, K), 3);
    am_graph *graph = linear_graph(M, &w, &bias, &options), *one = linear_graph(1, &w, &bias, &options);
    am_tensor plain = run_graph(graph, &x, false), packed = run_graph(graph, &x, true);
    assert_memory_equal(plain.data, packed.data, (size_t)(M * N) * sizeof(float));
    for (int64_t m = 0; m < M; m++) {
        am_tensor row = {AM_F32, am_shape_of(1, K), (float *)x.data + m * K};
        am_tensor alone = run_graph(one, &row, m % 2 == 1);
        assert_memory_equal(alone.data, (float *)plain.data + m * N, (size_t)N * sizeof(float));
        op_test_free(&alone, 1);
    }
    op_test_free((am_tensor[]){w, bias, x, plain, packed}, 5);
    am_graph_destroy(graph);
    am_graph_destroy(one);
}

static void ops_mojo__packs_and_batches_without_changing_a_bit(void **state)
{
    need_mojo();
    for (int in_out = 0; in_out < 2; in_out++) {
        expect_same_bits(9, 150, 300, AM_F32, in_out);
        expect_same_bits(13, 64, 257, AM_BF16, in_out);
        expect_same_bits(2, 5, 3, AM_F16, in_out);
    }
}

static am_graph *attention_graph(int64_t T, int64_t S)
{
    am_graph *graph;
    am_builder *b = op_test_builder();
    am_attention_inputs inputs = {.q = am_graph_input(b, "q", AM_F32, am_shape_of(1, T, 6, 40)),
                                  .k = am_graph_input(b, "k", AM_F32, am_shape_of(1, S, 2, 40)),
                                  .v = am_graph_input(b, "v", AM_F32, am_shape_of(1, S, 2, 24))};
    am_output(b, "y", am_attention_op(b, &inputs, &(am_attention_attributes){.causal = true}));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

/* The last of many queries, and that one alone as in decoding. */
static void ops_mojo__attends_alike_in_prefill_and_decode(void **state)
{
    need_mojo();
    enum { T = 150 };
    am_graph *prefill = attention_graph(T, T), *decode = attention_graph(1, T);
    am_tensor all[] = {random_tensor(AM_F32, am_shape_of(1, T, 6, 40), 1),
                       random_tensor(AM_F32, am_shape_of(1, T, 2, 40), 2),
                       random_tensor(AM_F32, am_shape_of(1, T, 2, 24), 3)};
    am_tensor last[] = {{AM_F32, am_shape_of(1, 1, 6, 40), (float *)all[0].data + (T - 1) * 6 * 40}, all[1], all[2]};
    am_tensor many = run_graph(prefill, all, false), one = run_graph(decode, last, false);
    assert_memory_equal((float *)many.data + (T - 1) * 6 * 24, one.data, 6 * 24 * sizeof(float));
    op_test_free((am_tensor[]){all[0], all[1], all[2], many, one}, 5);
    am_graph_destroy(prefill);
    am_graph_destroy(decode);
}

/* Rows are cut differently for several threads. */
static void ops_mojo__gives_the_same_bits_on_many_threads(void **state)
{
    need_mojo();
    am_tensor w = random_tensor(AM_F32, am_shape_of(300, 200), 1), bias = random_tensor(AM_F32, am_shape_of(300), 2);
    am_tensor x = random_tensor(AM_F32, am_shape_of(17, 200), 3);
    am_graph *graph = linear_graph(17, &w, &bias, &(am_linear_attributes){false, AM_SILU});
    am_tensor alone = run_graph(graph, &x, false);
    am_test_expect_ok(am_threads_set(4));
    am_tensor together = run_graph(graph, &x, false);
    am_threads_shutdown();
    assert_memory_equal(alone.data, together.data, 17 * 300 * sizeof(float));
    op_test_free((am_tensor[]){w, bias, x, alone, together}, 5);
    am_graph_destroy(graph);
}

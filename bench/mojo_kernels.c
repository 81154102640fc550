/* Times single ops by the cpu's kernels, by the Mojo kernels and by those with weights packed before, by turns, on one
   thread.

   Usage: bench_mojo_kernels [ROUNDS]
   Prints for each op and size the best time of each and, in brackets, how much faster than the cpu's it is. Needs a
   Mojo SDK. */
#include "base/prng.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "targets/mojo/kernels.h"
#include "targets/mojo/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAYS = 3, INPUTS = 3, NAME = 64 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(am_status status)
{
    if (!status) return;
    fprintf(stderr, "%s\n", am_status_message(status));
    exit((int)am_status_code(status));
}

static void *numbers(am_dtype dtype, am_shape shape, uint64_t seed)
{
    int64_t count = am_shape_count(&shape);
    void *data = aligned_alloc(64, (am_tensor_bytes(dtype, &shape) + 64) / 64 * 64);
    if (!data) check(am_error(AM_OUT_OF_MEMORY, "no memory for %lld numbers", (long long)count));
    for (int64_t i = 0; i < count; i++) am_store_real(dtype, data, i, am_uniform(seed, (uint64_t)i) - 0.5);
    return data;
}

/* A graph under construction and the data of its inputs and constants, which live until the program ends. */
typedef struct workload {
    am_builder *b;
    am_tensor inputs[INPUTS];
    int input_count;
} workload;

static am_value input(workload *w, am_shape shape)
{
    static const char *const names[INPUTS] = {"a", "b", "c"};
    int i = w->input_count++;
    w->inputs[i] = (am_tensor){AM_F32, shape, numbers(AM_F32, shape, (uint64_t)i)};
    return am_graph_input(w->b, names[i], AM_F32, shape);
}

static am_value weight(workload *w, am_dtype dtype, am_shape shape)
{
    return am_constant_lent(w->b, "weight", dtype, shape, numbers(dtype, shape, 9));
}

/* `flop`: of one run, 0 where arithmetic is not what takes the time. */
static void measure(const workload *w, am_value y, const char *name, double flop, int rounds)
{
    static const am_cpu_program_options ways[WAYS] = {
        {0}, {.kernel_for = am_mojo_kernel_or_null}, {.kernel_for = am_mojo_kernel_or_null, .prepare = true}};
    static const char *const way_names[WAYS] = {"cpu", "mojo", "packed"};
    am_cpu_program *programs[WAYS];
    am_graph *graph;
    double best[WAYS];
    int count = flop > 0 ? WAYS : WAYS - 1; /* weights are packed for products only */
    am_output(w->b, "y", y);
    check(am_builder_finish(w->b, &graph));
    am_builder_destroy(w->b);
    for (int k = 0; k < count; k++) check(am_cpu_program_create(graph, &ways[k], &programs[k]));
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < count; k++) {
            double start = now_s();
            check(am_cpu_program_run(programs[k], w->inputs, NULL));
            double time = now_s() - start;
            if (i == 0 || time < best[k]) best[k] = time;
        }
    printf("%-34s", name);
    for (int k = 0; k < count; k++) {
        printf("  %s %.3f ms", way_names[k], best[k] * 1e3);
        if (flop > 0) printf(" %.1f GFLOP/s", flop / best[k] * 1e-9);
        if (k > 0) printf(" (%.2f)", best[0] / best[k]);
    }
    printf("\n");
    for (int k = 0; k < count; k++) am_cpu_program_destroy(programs[k]);
    am_graph_destroy(graph);
}

static workload begin(void)
{
    workload w = {0};
    check(am_builder_create(&w.b));
    return w;
}

static void linear(int64_t M, int64_t N, int64_t K, am_dtype dtype, int rounds)
{
    char name[NAME];
    workload w = begin();
    am_value x = input(&w, am_shape_of(M, K)), bias = weight(&w, AM_F32, am_shape_of(N));
    am_value y = am_linear_op(w.b, x, weight(&w, dtype, am_shape_of(N, K)), bias, AM_NONE,
                              &(am_linear_attributes){false, AM_GELU});
    snprintf(name, sizeof name, "linear gelu %lldx%lldx%lld %s", (long long)M, (long long)N, (long long)K,
             am_dtype_name(dtype));
    measure(&w, y, name, 2.0 * (double)(M * N * K), rounds);
}

static void attention(int64_t T, int64_t S, int64_t H, int64_t G, int rounds)
{
    char name[NAME];
    workload w = begin();
    am_attention_inputs in = {.q = input(&w, am_shape_of(1, T, H, 64)),
                              .k = input(&w, am_shape_of(1, S, G, 64)),
                              .v = input(&w, am_shape_of(1, S, G, 64))};
    am_value y = am_attention_op(w.b, &in, &(am_attention_attributes){.causal = true});
    snprintf(name, sizeof name, "attention %lld of %lld, %lld/%lld heads", (long long)T, (long long)S, (long long)H,
             (long long)G);
    measure(&w, y, name, 0, rounds);
}

static void convolution(int64_t C, int64_t O, int64_t size, int64_t kernel, int64_t groups, int rounds)
{
    char name[NAME];
    workload w = begin();
    am_value x = input(&w, am_shape_of(1, C, size, size));
    am_convolution_attributes a = {.padding_before = am_shape_of(kernel / 2, kernel / 2),
                                   .padding_after = am_shape_of(kernel / 2, kernel / 2),
                                   .groups = groups};
    am_value y = am_convolution(w.b, x, weight(&w, AM_F32, am_shape_of(O, C / groups, kernel, kernel)), AM_NONE, &a);
    snprintf(name, sizeof name, "convolution %lld %lld, %lld^2, %lld^2, %lld", (long long)C, (long long)O,
             (long long)size, (long long)kernel, (long long)groups);
    measure(&w, y, name, 0, rounds);
}

static void norm(int kind, int rounds)
{
    workload w = begin();
    am_value x = input(&w, am_shape_of(128, 768)), g = weight(&w, AM_F32, am_shape_of(768));
    am_value y = am_norm_op(w.b, x, g, AM_NONE, AM_NONE, AM_NONE, &(am_norm_attributes){kind, 1e-5, 0, 0});
    measure(&w, y, kind == AM_NORM_RMS ? "rms norm 128x768" : "layer norm 128x768", 0, rounds);
}

static void small_ops(int rounds)
{
    workload w = begin();
    measure(&w, am_softmax(w.b, input(&w, am_shape_of(1536, 128)), 1), "softmax 1536x128", 0, rounds);
    w = begin();
    measure(&w, am_unary(w.b, AM_GELU, input(&w, am_shape_of(128, 3072))), "gelu 128x3072", 0, rounds);
    w = begin();
    am_value x = input(&w, am_shape_of(128, 3072));
    measure(&w, am_add(w.b, x, input(&w, am_shape_of(3072))), "add 128x3072 + 3072", 0, rounds);
    w = begin();
    measure(&w, am_permute(w.b, input(&w, am_shape_of(128, 12, 64)), am_shape_of(1, 2, 0)), "permute 128x12x64", 0,
            rounds);
    w = begin();
    measure(&w, am_reduce(w.b, AM_REDUCE_MEAN, input(&w, am_shape_of(128, 768)), am_shape_of(0), false), "mean 128x768",
            0, rounds);
    w = begin();
    am_value a = input(&w, am_shape_of(16, 128, 64));
    measure(&w, am_matmul(w.b, a, input(&w, am_shape_of(16, 64, 128)), false, false), "matmul 16x128x128x64", 0,
            rounds);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 50;
    check(am_mojo_library_open(NULL));
    printf("%s\n", am_mojo_library_text());
    linear(128, 768, 768, AM_F32, rounds);
    linear(128, 3072, 768, AM_F32, rounds);
    linear(1, 3072, 768, AM_F32, rounds);
    linear(7, 768, 768, AM_F32, rounds);
    linear(512, 1024, 1024, AM_F32, rounds);
    linear(128, 3072, 768, AM_BF16, rounds);
    linear(1, 3072, 768, AM_BF16, rounds);
    attention(128, 128, 12, 12, rounds);
    attention(1, 1500, 32, 8, rounds);
    convolution(64, 64, 56, 3, 1, rounds);
    convolution(64, 64, 56, 3, 64, rounds);
    norm(AM_NORM_LAYER, rounds);
    norm(AM_NORM_RMS, rounds);
    small_ops(rounds);
    return 0;
}

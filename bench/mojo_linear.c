/* Times linear with bias and GELU by the cpu's kernel, by the Mojo kernel and by the same with its weight packed before,
   by turns, on one thread.

   Usage: bench_mojo_linear [ROUNDS]
   Prints for each size the best times, what they are in GFLOP/s, and how much faster than the cpu's they are. Needs a Mojo SDK. */
#include "base/prng.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "targets/mojo/kernels.h"
#include "targets/mojo/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct size {
    int64_t M, N, K;
} size;

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
    exit(am_status_code(status));
}

static float *numbers(int64_t count, uint64_t seed)
{
    float *x = aligned_alloc(64, (size_t)(count + 16) / 16 * 64);
    for (int64_t i = 0; x && i < count; i++) x[i] = (float)(am_uniform(seed, (uint64_t)i) - 0.5);
    return x;
}

static am_graph *graph_of(const size *s, am_dtype weight, const void *w, const float *bias)
{
    am_builder *b;
    am_graph *graph;
    check(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(s->M, s->K));
    am_value y = am_linear_op(b, x, am_constant_lent(b, "w", weight, am_shape_of(s->N, s->K), w),
                              am_constant_lent(b, "bias", AM_F32, am_shape_of(s->N), bias), AM_NONE,
                              &(am_linear_attributes){false, AM_GELU});
    am_output(b, "y", y);
    check(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static double run(am_cpu_program *program, const am_tensor *x)
{
    double start = now_s();
    check(am_cpu_program_run(program, x, NULL));
    return now_s() - start;
}

static void measure(const size *s, am_dtype dtype, int rounds)
{
    static const char *const names[] = {"cpu", "mojo", "packed"};
    float *x = numbers(s->M * s->K, 1), *w = numbers(s->N * s->K, 2), *bias = numbers(s->N, 3);
    void *weight = malloc(am_tensor_bytes(dtype, &(am_shape){2, {s->N, s->K}}));
    am_convert(dtype, weight, AM_F32, w, s->N * s->K);
    am_graph *graph = graph_of(s, dtype, weight, bias);
    am_tensor input = {AM_F32, am_shape_of(s->M, s->K), x};
    am_cpu_program *programs[3];
    double best[3] = {1e9, 1e9, 1e9}, flop = 2.0 * (double)(s->M * s->N * s->K);
    check(am_cpu_program_create(graph, NULL, &programs[0]));
    check(am_cpu_program_create(graph, &(am_cpu_program_options){.kernel_for = am_mojo_kernel_or_null}, &programs[1]));
    check(am_cpu_program_create(
        graph, &(am_cpu_program_options){.kernel_for = am_mojo_kernel_or_null, .prepare = true}, &programs[2]));
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < 3; k++) {
            double time = run(programs[k], &input);
            if (time < best[k]) best[k] = time;
        }
    printf("%4lldx%lldx%lld %s:", (long long)s->M, (long long)s->N, (long long)s->K, am_dtype_name(dtype));
    for (int k = 0; k < 3; k++)
        printf("  %s %.3f ms %.1f GFLOP/s (%.2f)", names[k], best[k] * 1e3, flop / best[k] * 1e-9, best[0] / best[k]);
    printf("\n");
    for (int k = 0; k < 3; k++) am_cpu_program_destroy(programs[k]);
    am_graph_destroy(graph);
    free(x), free(w), free(bias), free(weight);
}

int main(int argc, char **argv)
{
    static const size sizes[] = {{128, 768, 768}, {128, 3072, 768}, {1, 3072, 768}, {512, 1024, 1024}, {7, 768, 768}};
    int rounds = argc > 1 ? atoi(argv[1]) : 50;
    check(am_mojo_library_open(NULL));
    printf("%s\n", am_mojo_library_text());
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) measure(&sizes[i], AM_F32, rounds);
    measure(&sizes[1], AM_BF16, rounds);
    measure(&sizes[2], AM_BF16, rounds);
    return 0;
}

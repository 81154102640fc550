#define _DEFAULT_SOURCE
#include "api/machine_peaks.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "graph/ops.h"
#include "targets/cpu/isa.h"

#include <math.h>
#include <unistd.h>

enum { SIDE = 96, PAIR_ROWS = 12, REPEATS = 16, ROUNDS_LEAST = 3, LARGEST_ARRAY = 256 << 20, SLICE = 1 << 20 };

static const double ROUND_MS = 120; /* best of as many rounds as fit */

/* Shortest time of `work` over [0, count), one item a slice. */
static double best_ms(am_work work, void *context, int64_t count)
{
    double begin = am_clock_ms(), best = INFINITY;
    for (int round = 0; round < ROUNDS_LEAST || am_clock_ms() - begin < ROUND_MS; round++) {
        double start = am_clock_ms();
        am_parallel_for(count, 1, work, context);
        double ms = am_clock_ms() - start;
        if (ms < best) best = ms;
    }
    return best;
}

/* --- multiply-adds: each item multiplies its own SIDE x SIDE matrices REPEATS times --- */

typedef struct products {
    const am_micro *micro;
    float *matrices; /* [items, 3, SIDE, SIDE] */
} products;

/* In BF16: rows of SIDE pairs and a panel of as many, which fit into the first cache. */
static void multiply_pairs(void *context, int64_t begin, int64_t end)
{
    const products *p = context;
    int64_t columns = p->micro->panel_columns;
    for (int64_t i = begin; i < end; i++) {
        const am_pair *a = (am_pair *)(p->matrices + i * 3 * SIDE * SIDE), *panel = a + PAIR_ROWS * SIDE;
        float *c = p->matrices + i * 3 * SIDE * SIDE + 2 * SIDE * SIDE;
        for (int repeat = 0; repeat < REPEATS * SIDE / PAIR_ROWS; repeat++)
            p->micro->gemm_pairs(PAIR_ROWS, columns, SIDE, a, SIDE, panel, panel, c, columns, false, NULL);
    }
}

/* Rounded rows, scales and middles of SIDE numbers each, and a panel of 8 bits. */
static void multiply_bytes(void *context, int64_t begin, int64_t end)
{
    enum { GROUPS = SIDE / AM_ACTIVATION_GROUP };
    const products *p = context;
    for (int64_t i = begin; i < end; i++) {
        float *scales = p->matrices + i * 3 * SIDE * SIDE, *c = scales + 2 * SIDE * SIDE;
        int16_t *middle = (int16_t *)(scales + SIDE * GROUPS), *numbers = middle + 2 * SIDE * GROUPS;
        const am_quantized_rows x = {numbers, scales, middle};
        const am_quantized_panel panel = {.K = SIDE,
                                          .group = AM_ACTIVATION_GROUP,
                                          .columns = AM_QUANTIZED_COLUMNS,
                                          .weight = (const uint8_t *)(scales + SIDE * SIDE),
                                          .scales = scales,
                                          .scale_dtype = AM_F32};
        for (int repeat = 0; repeat < REPEATS; repeat++)
            p->micro->gemm_quantized(SIDE, 8, &panel, &x, c, AM_QUANTIZED_COLUMNS);
    }
}

static void multiply(void *context, int64_t begin, int64_t end)
{
    const products *p = context;
    for (int64_t i = begin; i < end; i++) {
        float *a = p->matrices + i * 3 * SIDE * SIDE, *b = a + SIDE * SIDE, *c = b + SIDE * SIDE;
        for (int repeat = 0; repeat < REPEATS; repeat++)
            p->micro->gemm_nn(SIDE, SIDE, SIDE, a, SIDE, b, SIDE, c, SIDE, false);
    }
}

/* Billions a second of operations, of which an item has `operations` in a repeat. */
static double rate_of(am_work work, products *p, int64_t items, double operations)
{
    return operations * REPEATS * (double)items * 1e-6 / best_ms(work, p, items);
}

static am_status measure_products(const am_micro *micro, am_machine_peaks *out)
{
    int64_t items = 4 * (int64_t)am_threads_count(), numbers = items * 3 * SIDE * SIDE;
    products p = {micro, am_alloc_aligned((size_t)numbers * sizeof(float))};
    if (!p.matrices) return am_out_of_memory();
    for (int64_t i = 0; i < numbers; i++) p.matrices[i] = (float)(i % 13) * 0.125f;
    out->gflop_per_s = rate_of(multiply, &p, items, 2.0 * SIDE * SIDE * SIDE);
    out->bf16_gflop_per_s = rate_of(multiply_pairs, &p, items, 4.0 * SIDE * SIDE * micro->panel_columns);
    out->int8_gop_per_s = rate_of(multiply_bytes, &p, items, 2.0 * SIDE * SIDE * AM_QUANTIZED_COLUMNS);
    am_free_aligned(p.matrices);
    return NULL;
}

/* --- reading --- */

struct am_machine_reading {
    float (*sum)(const float *x, int64_t count);
    float *numbers, *sums; /* sums: by slice, kept, so that no compiler leaves the reading out */
    int64_t slices;
};

static float sum_of(const float *x, int64_t count)
{
    float sums[16] = {0};
    for (int64_t i = 0; i < count; i += 16)
        for (int lane = 0; lane < 16; lane++) sums[lane] += x[i + lane];
    for (int lane = 1; lane < 16; lane++) sums[0] += sums[lane];
    return sums[0];
}

static void read_slices(void *context, int64_t begin, int64_t end)
{
    enum { NUMBERS = SLICE / sizeof(float) };
    const am_machine_reading *r = context;
    for (int64_t i = begin; i < end; i++) r->sums[i] = r->sum(r->numbers + i * NUMBERS, NUMBERS);
}

static int64_t array_slices(void)
{
    long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double quarter = pages > 0 && page > 0 ? (double)pages * (double)page / 4 : LARGEST_ARRAY;
    int64_t slices = (int64_t)((quarter < LARGEST_ARRAY ? quarter : LARGEST_ARRAY) / SLICE);
    return slices > 0 ? slices : 1;
}

am_status am_machine_reading_new(am_machine_reading **out)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    int64_t slices = array_slices(), count = slices * (int64_t)(SLICE / sizeof(float));
    am_machine_reading *r = am_alloc_zeroed(1, sizeof *r);
    if (!r) return am_out_of_memory();
    *r = (am_machine_reading){.sum = micro ? micro->sum : sum_of,
                              .numbers = am_alloc_large((size_t)slices * SLICE),
                              .sums = am_alloc_aligned((size_t)slices * sizeof *r->sums),
                              .slices = slices};
    if (!r->numbers || !r->sums) {
        am_machine_reading_free(r);
        return am_out_of_memory();
    }
    for (int64_t i = 0; i < count; i++) r->numbers[i] = (float)(i % 7); /* pages that were never written share one */
    *out = r;
    return NULL;
}

double am_machine_reading_bytes(const am_machine_reading *r)
{
    return (double)r->slices * SLICE;
}

void am_machine_reading_run(am_machine_reading *r)
{
    am_parallel_for(r->slices, 1, read_slices, r);
}

void am_machine_reading_free(am_machine_reading *r)
{
    if (!r) return;
    am_free_aligned(r->numbers);
    am_free_aligned(r->sums);
    am_free(r);
}

static am_status measure_reading(double *out)
{
    am_machine_reading *r;
    AM_TRY(am_machine_reading_new(&r));
    *out = am_machine_reading_bytes(r) * 1e-6 / best_ms(read_slices, r, r->slices);
    am_machine_reading_free(r);
    return NULL;
}

am_status am_machine_peaks_measure(am_machine_peaks *out)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    *out = (am_machine_peaks){.kernels = micro ? micro->name : NULL, .gflop_per_s = NAN};
    out->bf16_gflop_per_s = out->int8_gop_per_s = NAN;
    if (micro) AM_TRY(measure_products(micro, out));
    return measure_reading(&out->read_gb_per_s);
}

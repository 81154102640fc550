#include "timing.h"

#include "calls.h"
#include "check.h"
#include "plain.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES = 41, LEVELS = AM_ISA_COUNT, SAMPLE_NS = 300000, CELL = 40 };

/* What one level takes for a call. */
typedef struct measurement {
    const am_micro *micro;
    long repeats;            /* in a sample */
    double samples[SAMPLES]; /* ns of one call, sorted in the end */
} measurement;

/* Of this thread's own time: what else the machine does does not count, but for the caches. */
static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double sample(const measurement *m, const micro_call *call, micro_memory *memory)
{
    double start = now_ns();
    for (long i = 0; i < m->repeats; i++) call->run(call, m->micro, memory);
    return (now_ns() - start) / (double)m->repeats;
}

/* So many repeats that a sample takes about SAMPLE_NS; the first one finds caches cold. */
static void calibrate(measurement *m, const micro_call *call, micro_memory *memory)
{
    m->repeats = 1;
    sample(m, call, memory);
    for (double ns; (ns = sample(m, call, memory) * (double)m->repeats) < SAMPLE_NS / 2 && m->repeats < 1 << 20;)
        m->repeats = ns < SAMPLE_NS / 100 ? m->repeats * 10 : (long)((double)m->repeats * SAMPLE_NS / ns) + 1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const measurement *m)
{
    return m->samples[SAMPLES / 2];
}

/* How far the half of all samples that is nearest to the median is from it, in percent. */
static double spread(const measurement *m)
{
    double low = median(m) - m->samples[SAMPLES / 4], high = m->samples[SAMPLES - 1 - SAMPLES / 4] - median(m);
    return 100 * fmax(low, high) / median(m);
}

/* Levels take turns, so that what slows the machine for a while slows all of them. */
static void measure(measurement *all, int count, const micro_call *call, micro_memory *memory)
{
    for (int k = 0; k < count; k++) {
        micro_memory_prepare(memory, call, all[k].micro);
        calibrate(&all[k], call, memory);
    }
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < count; k++) {
            micro_memory_prepare(memory, call, all[k].micro);
            all[k].samples[i] = sample(&all[k], call, memory);
        }
    for (int k = 0; k < count; k++) qsort(all[k].samples, SAMPLES, sizeof *all[k].samples, by_size);
}

static void print_row(const measurement *all, int count, const micro_call *call)
{
    printf("%-18s%-28s%-8s", call->function, call->shape, call->flops > 0 ? "GFLOP/s" : "ns");
    for (int k = 0; k < count; k++) {
        char cell[CELL];
        double figure = call->flops > 0 ? call->flops / median(&all[k]) : median(&all[k]);
        int length = snprintf(cell, sizeof cell, "%*.*f ±%.1f%%", 9, call->flops > 0 ? 1 : 0, figure, spread(&all[k]));
        if (k > 0 && length < CELL)
            length +=
                snprintf(cell + length, sizeof cell - (size_t)length, " x%.1f", median(&all[0]) / median(&all[k]));
        if (k > 1 && length < CELL)
            snprintf(cell + length, sizeof cell - (size_t)length, " x%.2f", median(&all[1]) / median(&all[k]));
        printf("%-*s", k ? 31 : 19, cell);
    }
    printf("\n");
    fflush(stdout);
}

static bool matches(const micro_call *call, const char *pattern)
{
    char name[2 * CELL];
    snprintf(name, sizeof name, "%s %s", call->function, call->shape);
    return !pattern || fnmatch(pattern, call->function, 0) == 0 || fnmatch(pattern, name, 0) == 0;
}

static int levels(measurement *all)
{
    int count = 0;
    all[count++].micro = &plain_micro;
    for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++)
        if (am_micro_of((am_isa)isa)) all[count++].micro = am_micro_of((am_isa)isa);
    return count;
}

static void print_head(const measurement *all, int count)
{
    printf("%s\nMedians of %d samples of processor time. ± how far half of them are at most; x times as fast as plain, "
           "x as %s.\n\n",
           am_cpu_model_name(), SAMPLES, count > 1 ? all[1].micro->name : "it");
    printf("%-18s%-28s%-8s", "function", "shape", "unit");
    for (int k = 0; k < count; k++) printf("%9s%*s", all[k].micro->name, k ? 21 : 9, "");
    printf("\n");
}

int timing_print(const char *pattern)
{
    static measurement all[LEVELS];
    int count = levels(all), printed = 0;
    micro_memory *memory = micro_memory_create();
    for (const micro_call *call = micro_calls; memory && call->function; call++) {
        if (!matches(call, pattern)) continue;
        if (!printed++) print_head(all, count);
        measure(all, count, call, memory);
        print_row(all, count, call);
    }
    micro_memory_destroy(memory);
    if (!printed) fprintf(stderr, memory ? "no call matches\n" : "no memory\n");
    return printed ? 0 : 1;
}

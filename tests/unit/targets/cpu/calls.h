/* Calls of am_micro with fixed shapes and numbers: timed by `test_unit_targets_cpu --bench`, counted by
   bench/instructions.c. */
#ifndef AM_TESTS_CPU_CALLS_H
#define AM_TESTS_CPU_CALLS_H

#include "targets/cpu/isa.h"

typedef struct micro_memory micro_memory;

/* One call, or as many as its shape needs (a product of some panels). */
typedef struct micro_call {
    const char *function, *shape;
    void (*run)(const struct micro_call *call, const am_micro *micro, micro_memory *memory);
    int64_t M, N, K;
    am_dtype dtype;
    int fn;
    double flops; /* 0: where arithmetic is not what takes the time */
} micro_call;

/* Ends with a row without a function. */
extern const micro_call micro_calls[];

/* Numbers in [-0.5, 0.5) for all calls; null when there is no memory. */
micro_memory *micro_memory_create(void);
void micro_memory_destroy(micro_memory *memory);

/* What is done once for a level before its calls: weights are packed. */
void micro_memory_prepare(micro_memory *memory, const micro_call *call, const am_micro *micro);

#endif

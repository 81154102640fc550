/* What tests of whole programs share: constants of their graphs, running them, and which kernels they have. */
#ifndef AM_TESTS_CPU_PROGRAMS_H
#define AM_TESTS_CPU_PROGRAMS_H

#include "graph/graph.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"

/* A constant of F32 numbers from `low` to `high`, other ones with each call; the same again after program_restart. */
am_value program_numbers(am_builder *b, am_shape shape, double low, double high);
am_value program_numbers_of(am_builder *b, am_dtype dtype, am_shape shape, double low, double high);
void program_restart(void);

/* A program that was run once. */
am_cpu_program *program_run(const am_graph *graph, const am_cpu_program_options *options, const am_tensor *inputs);

/* How many of its steps this kernel computes. */
int program_steps(const am_cpu_program *program, const char *kernel);

#endif

/* The loop as every kernel of it runs it. */
#ifndef AM_TARGETS_CPU_REFERENCE_LOOP_H
#define AM_TARGETS_CPU_REFERENCE_LOOP_H

#include "targets/cpu/program.h"

/* Compiles the body once, with these options, and runs it trip after trip. Fails as the body does, naming the
   trip. */
am_status am_cpu_run_loop(const am_kernel_call *call, const am_cpu_program_options *options) AM_NODISCARD;

#endif

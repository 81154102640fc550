/* Functions and arithmetic that follow each other element by element, in one pass over memory: the tail of a kernel
   that gives its results piece by piece. */
#ifndef AM_TARGETS_CPU_KERNELS_CHAIN_H
#define AM_TARGETS_CPU_KERNELS_CHAIN_H

#include "targets/cpu/kernel.h"

/* For am_kernel.takes: floats of the shape of the kernel's output, with another operand of that shape, or one that is
   repeated along its first dimensions, or one number. */
bool am_chain_takes(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from);

/* Computes the tail of a call on elements at .. at + count - 1 of output 0, where the kernel's own results are. */
void am_chain_apply(const am_kernel_call *call, int64_t at, int64_t count);

#endif

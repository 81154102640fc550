/* The fast cpu kernels, each in a file of its own; rows are tried in order, the first that supports a node runs it. */
#ifndef AM_TARGETS_CPU_KERNELS_KERNELS_H
#define AM_TARGETS_CPU_KERNELS_KERNELS_H

#include "targets/cpu/kernel.h"

/* Ends with null. */
extern const am_kernel *const am_cpu_kernels[];

/* Whether every present input and every output of the node is F32. */
bool am_all_f32(const am_graph *graph, const am_node *node);

#endif

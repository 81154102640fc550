/* The Mojo kernels as the cpu's programs run them: the same plan, memory and threads, another function a node. */
#ifndef AM_TARGETS_MOJO_KERNELS_H
#define AM_TARGETS_MOJO_KERNELS_H

#include "targets/cpu/kernel.h"

/* The Mojo kernel for a node, or null with the reason in words ("works on f32 only"), a static string; out_reason may
   be null. Asks a table: running the kernel needs am_mojo_library_open. */
const am_kernel *am_mojo_kernel_for(const am_graph *graph, const am_node *node, const char **out_reason);

/* The same for am_cpu_program_options.kernel_for. */
const am_kernel *am_mojo_kernel_or_null(const am_graph *graph, const am_node *node);

#endif

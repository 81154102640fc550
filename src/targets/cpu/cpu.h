/* The cpu's programs as entries of am_target: for every target whose programs are those with other kernels. */
#ifndef AM_TARGETS_CPU_CPU_H
#define AM_TARGETS_CPU_CPU_H

#include "targets/target.h"

/* What am_target says of its entries of these names; `program` is an am_cpu_program. */
void am_cpu_target_destroy(void *program);
am_status am_cpu_target_run(void *program, const am_tensor *inputs, void *const *states) AM_NODISCARD;
am_tensor am_cpu_target_output(const void *program, int i);
size_t am_cpu_target_bytes(const void *program);
const char *am_cpu_target_kernel(const void *program, const am_node *node);
bool am_cpu_target_step(const void *program, int i, am_target_step *out);

#endif

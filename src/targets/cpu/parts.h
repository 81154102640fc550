/* Weights that are joined of constants along axis 0, as those of experts are, for kernels that read them part by part
   (am_kernel.reads_parts): the whole is never made, each part stays where its constant lies. */
#ifndef AM_TARGETS_CPU_PARTS_H
#define AM_TARGETS_CPU_PARTS_H

#include "targets/cpu/kernel.h"

/* The kernel that computes a node; `context` is the caller's. */
typedef const am_kernel *(*am_kernel_of)(const void *context, const am_node *node);

/* Sets apart[id], of values that are all false, for those that are joined of what is known before any run and that only
   such kernels read, as the weight, or what joins them further. known: by value id. */
void am_parts_find(const am_graph *graph, const bool *known, am_kernel_of kernel_of, const void *context, bool *apart);

/* A part of a weight [E, ..], without its axis 0 and its data. */
am_tensor am_part_of(const am_value_info *weight);

#endif

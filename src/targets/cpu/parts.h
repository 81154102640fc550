/* Weights that are joined of constants along axis 0, as those of experts are, for kernels that read them part by part
   (am_kernel.reads_parts): the whole is never made, each part stays where its constant lies. */
#ifndef AM_TARGETS_CPU_PARTS_H
#define AM_TARGETS_CPU_PARTS_H

#include "targets/cpu/program_internal.h"

/* Sets p->apart, all false so far, for values that are joined of what is known before any run and that only such
   kernels read, as the weight, or what joins them further. known: by value id. */
void am_parts_find(am_cpu_program *p, const bool *known);

/* A part of a weight [E, ..], without its axis 0 and its data. */
am_tensor am_part_of(const am_value_info *weight);

#endif

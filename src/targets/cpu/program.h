/* A graph compiled for the cpu: a list of kernel calls and a plan of memory. */
#ifndef AM_TARGETS_CPU_PROGRAM_H
#define AM_TARGETS_CPU_PROGRAM_H

#include "targets/cpu/isa.h"
#include "targets/cpu/kernel.h"

typedef struct am_cpu_program am_cpu_program;

typedef struct am_cpu_program_options {
    bool reference_only; /* only the kernels that define the ops */
    /* Another target's kernel for a node, taken before the cpu's own; null: none. May be null. */
    const am_kernel *(*kernel_for)(const am_graph *graph, const am_node *node);
    bool allows_bf16; /* as in am_target_options */
    bool prepare;     /* keep weights in the form that kernels like best, beside the mapped ones, where memory allows */
    am_isa isa;       /* the best feature level to use; 0: what this cpu has */
    bool profile;     /* keep the time of each step */
    size_t other_bytes; /* what the caller will allocate beside: inputs, new states */
} am_cpu_program_options;

/* Chooses kernels, computes what depends on constants only, lays out memory. The graph is borrowed and must
   outlive the program. options may be null. Fails with AM_OUT_OF_MEMORY naming the bytes wanted, before taking any of
   them, when they are not available (base/memory_limit.h); mapped weights are not counted. */
am_status am_cpu_program_create(const am_graph *graph, const am_cpu_program_options *options,
                                am_cpu_program **out) AM_NODISCARD;
void am_cpu_program_destroy(am_cpu_program *program);

/* Runs once. inputs[i].data belongs to graph->inputs[i] and states[i] to graph->states[i], in the graph's
   dtypes and shapes; states are replaced by their updated values. Not for two threads at once on one program.
 */
am_status am_cpu_program_run(am_cpu_program *program, const am_tensor *inputs, void *const *states) AM_NODISCARD;

/* Output i of the last run; borrowed until the next run. */
am_tensor am_cpu_program_output(const am_cpu_program *program, int i);

/* Bytes of intermediate values, scratch and precomputed tables together. */
size_t am_cpu_program_bytes(const am_cpu_program *program);

/* What runs: for each node its kernel's name ("" for nodes that need none) and, when profiling, nanoseconds
 * of all runs so far. */
typedef struct am_cpu_step_info {
    const am_node *node;
    const char *kernel;
    int64_t nanoseconds, calls;
} am_cpu_step_info;

/* Name of the kernel that computes a node of the graph in each run, alone or with others (am_tail); "" where there is
   none (constants, inputs, what was computed beforehand). */
const char *am_cpu_program_kernel(const am_cpu_program *program, const am_node *node);

/* How many nodes are computed in each run. */
int am_cpu_program_step_count(const am_cpu_program *program);
am_cpu_step_info am_cpu_program_step(const am_cpu_program *program, int i);

/* Runs a graph without states once, by reference kernels, into the caller's outputs (order of
 * graph->outputs). */
am_status am_cpu_run_graph(const am_graph *graph, const am_tensor *inputs, const am_tensor *outputs) AM_NODISCARD;

#endif

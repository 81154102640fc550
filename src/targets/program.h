/* A plan with its pieces compiled: runs like one graph. */
#ifndef AM_TARGETS_PROGRAM_H
#define AM_TARGETS_PROGRAM_H

#include "targets/plan.h"

typedef struct am_program am_program;

/* Cuts the graph and compiles the pieces. The graph is borrowed and must outlive the program. `choice` null: the cpu.
   A piece that its target fails to compile goes to the cpu with a warning, unless the target is required: then that is
   the error. */
am_status am_program_create(const am_graph *graph, const am_target_choice *choice, const am_target_options *options,
                            am_program **out) AM_NODISCARD;
void am_program_destroy(am_program *program);

/* Runs once. inputs[i].data belongs to graph->inputs[i] and states[i] to graph->states[i], in the graph's dtypes and
   shapes; states are replaced by their updated values. A piece that its target fails to run goes to the cpu, as above.
   Not for two threads at once on one program. */
am_status am_program_run(am_program *program, const am_tensor *inputs, void *const *states) AM_NODISCARD;

/* Output i of the last run; borrowed until the next run. */
am_tensor am_program_output(const am_program *program, int i);

/* Bytes that all pieces hold beside the mapped weights. */
size_t am_program_bytes(const am_program *program);

/* What am_target.export gives of a piece; nothing where its target has none. */
am_status am_program_export(const am_program *program, int piece, am_buffer *out) AM_NODISCARD;

/* How the graph was cut; borrowed. */
const am_plan *am_program_plan(const am_program *program);

/* The graph of a piece, and the target that runs it: the cpu where its own failed. */
const am_graph *am_program_piece_graph(const am_program *program, int piece);
const am_target *am_program_piece_target(const am_program *program, int piece);

/* Under the policy auto with targets to choose from, where it stands and why (am_tier_state); else null. Borrowed until
   the next call. */
const char *am_program_state(am_program *program);

/* Adds how many nodes each run computes, and how many of them on a target other than the cpu. */
void am_program_count(const am_program *program, int64_t *nodes, int64_t *native);

/* What computes a node of a piece's graph; "" for nodes that need nothing. */
const char *am_program_kernel(const am_program *program, int piece, const am_node *node);

/* Step i of a piece's program, made with am_target_options.profile; false where there are no more, or its target keeps
   no times. */
bool am_program_step(const am_program *program, int piece, int i, am_target_step *out);

#endif

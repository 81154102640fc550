/* A graph cut where it reads a cache that it has just written. A state that is read by nothing but the scatter that
   sets its new rows is memory of the caller's: the rows come out of one stage, are written into the state where it
   lies, and the next stage reads it there. So a token's run moves a cache's new rows instead of whole caches. */
#ifndef AM_TARGETS_OPENVINO_STAGES_H
#define AM_TARGETS_OPENVINO_STAGES_H

#include "graph/graph.h"

/* The state's new rows: what is scattered, where. */
typedef struct am_ov_write {
    int state;
    const am_node *scatter; /* of (state's value, indices, rows) */
} am_ov_write;

/* Nodes that run together, and the writes that follow them. */
typedef struct am_ov_stage {
    am_value *inputs, *outputs; /* what comes from outside or goes there; constants are not among them */
    am_ov_write *writes;
    int input_count, output_count, write_count;
} am_ov_stage;

typedef struct am_ov_stages {
    am_ov_stage *items;
    int count;
    int *stage_of;    /* by node of the graph; -1 for inputs, constants and scatters that are writes */
    int *state_of;    /* by value: the state in whose memory it lies, once written; -1: none */
    bool *is_written; /* by state: in place */
} am_ov_stages;

/* All in the arena. */
am_status am_ov_find_stages(const am_graph *graph, am_arena *arena, am_ov_stages *out) AM_NODISCARD;

#endif

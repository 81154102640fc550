/* A graph cut into pieces, each for one target. */
#ifndef AM_TARGETS_PLAN_H
#define AM_TARGETS_PLAN_H

#include "targets/choice.h"

/* Where a value comes from when pieces run. */
typedef enum am_source_kind { AM_SOURCE_INPUT, AM_SOURCE_STATE, AM_SOURCE_PIECE, AM_SOURCE_CONSTANT } am_source_kind;

typedef struct am_source {
    am_source_kind kind;
    int index, output; /* of the graph's inputs or states; the piece and which of its outputs */
    const void *data;  /* of a constant */
} am_source;

/* An index tensor whose elements must be in [0, limit): targets read without looking. It is an input of the piece
   (checked before the run) or an output of it (checked after). */
typedef struct am_index_guard {
    bool is_output;
    int index;
    int64_t limit;
    const am_node *node; /* of the piece's graph: who reads by it */
} am_index_guard;

typedef struct am_piece {
    const am_target_pick *pick;
    am_graph *graph;   /* its nodes, with inputs and outputs where values cross */
    am_source *inputs; /* by graph->inputs */
    int *states;       /* by graph->states: which of the whole graph's; they are updated in place */
    am_index_guard *guards;
    int guard_count;
    int node_count; /* without constants and inputs */
    size_t bytes_in, bytes_out;
} am_piece;

typedef struct am_plan {
    am_arena arena;
    am_target_choice choice; /* with the cpu as the last pick */
    bool cpu_added;          /* the cpu was not asked for */
    const am_graph *whole;   /* as given */
    am_graph *cut;           /* what was cut: constants folded, composites expanded where a target wants that; null when
                                everything is on the cpu: then the only piece's graph is the whole one */
    int *piece_of;           /* by node of `cut`: its piece; -1 for inputs and constants */
    const char **reasons;    /* by node of `cut`: why it is not on the first pick; null where it is */
    am_piece *pieces;        /* in the order of running */
    int piece_count;
    am_source *outputs; /* by the whole graph's outputs */
    am_source *updates; /* by the whole graph's states: what is copied there after all pieces ran */
    bool *is_updated;   /* by the whole graph's states: whether `updates` has something */
} am_plan;

/* Cuts the graph, which is borrowed and must outlive the plan. Fails with AM_UNSUPPORTED under require, naming a node
   that no required target computes and why. */
am_status am_plan_create(const am_graph *graph, const am_target_choice *choice, am_plan **out) AM_NODISCARD;
void am_plan_destroy(am_plan *plan);

#endif

/* Constants computed ahead: what a target's own compiler need not see. */
#ifndef AM_TARGETS_FOLD_H
#define AM_TARGETS_FOLD_H

#include "graph/graph.h"

/* By value id (value_count flags, freed with am_free): whether it depends on constants only. Null without memory. */
bool *am_graph_find_fixed(const am_graph *graph);

/* A new graph in which every value that depends on constants only is a constant, computed by the cpu. Weights that are
   constants already stay lent. Fails with what computing or memory fails with. */
am_status am_graph_fold(const am_graph *graph, am_graph **out) AM_NODISCARD;

#endif

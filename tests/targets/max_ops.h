/* One graph with an output for every kind of node that max takes: its compiler takes minutes for each graph, so the
   nodes of tests/ops cannot be tried one by one. */
#ifndef AM_TESTS_TARGETS_MAX_OPS_H
#define AM_TESTS_TARGETS_MAX_OPS_H

#include "graph/graph.h"

enum { MAX_OPS_INPUTS = 8 };

/* The graph, whose outputs are named after what they try; freed by the caller. Fails the test when it cannot be built.
 */
am_graph *max_ops_graph(void);

/* Numbers for its inputs, NaN and infinities among them where the name is "special"; none so small that it is denormal,
   for MAX takes those as 0. Memory from the arena. */
void max_ops_fill(const am_graph *graph, am_arena *arena, am_tensor inputs[MAX_OPS_INPUTS]);

#endif

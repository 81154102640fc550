/* What lowerings ask of a node. */
#ifndef AM_TARGETS_COMMON_NODES_H
#define AM_TARGETS_COMMON_NODES_H

#include "graph/graph.h"

/* Dtype and shape of input i, which is there, and of the first output. */
const am_value_info *am_node_in(const am_graph *graph, const am_node *node, int i);
const am_value_info *am_node_out(const am_graph *graph, const am_node *node);

/* Whether input i is there. */
bool am_node_has(const am_node *node, int i);

#endif

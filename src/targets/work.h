/* How much arithmetic and memory traffic one run of a graph is. */
#ifndef AM_TARGETS_WORK_H
#define AM_TARGETS_WORK_H

#include "graph/graph.h"

typedef struct am_graph_work {
    double flops;        /* of linear, matmul, grouped_matmul, convolution, conv_transpose and attention; a
                            multiply-add is two */
    double weight_bytes; /* of the constants that those nodes read, again for each node that does */
    double moved_bytes;  /* of inputs and outputs of all other nodes */
} am_graph_work;

/* Of one node, as above; 0 for the others. */
double am_graph_node_flops(const am_graph *graph, const am_node *node);

/* Adds what one run computes; what depends on constants only was computed beforehand. Attention counts the pairs that
   positions allow (causal, window), not what a mask hides nor how full a cache is; bodies of loops count all their
   trips' arithmetic. grouped_matmul counts the weights of as many experts as its rows could name. Fails when there is no
   memory. */
am_status am_graph_work_add(const am_graph *graph, am_graph_work *out) AM_NODISCARD;

#endif

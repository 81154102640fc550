/* How much arithmetic and weight traffic one run of a compiled graph is. */
#ifndef AM_API_GRAPH_WORK_H
#define AM_API_GRAPH_WORK_H

#include "targets/program.h"

typedef struct am_graph_work {
    double flops;        /* of linear, matmul, grouped_matmul, convolution, conv_transpose and attention; a
                            multiply-add is two */
    double weight_bytes; /* of the constants that those nodes read, again for each node that does */
} am_graph_work;

/* Counts what a run computes: what depends on constants only was computed when the program was made.
   Attention counts the pairs that positions allow (causal, window), not what a mask hides nor how full a
   cache is; bodies of loops count all their trips, other nodes nothing. grouped_matmul counts the weights of
   all its experts. Fails when there is no memory. */
am_status am_graph_work_count(const am_program *program, am_graph_work *out) AM_NODISCARD;

#endif

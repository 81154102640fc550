/* Which values lie with their channels last: [B, spatial.., C] instead of [B, C, spatial..]. Convolutions and pools
   read and write such values faster (am_kernel.channels_last); for every other reader a copy lies as the graph says. */
#ifndef AM_TARGETS_CPU_LAYOUT_H
#define AM_TARGETS_CPU_LAYOUT_H

#include "targets/cpu/kernel.h"

/* What a kernel computes together with its own node. */
typedef struct am_node_tail {
    int head; /* node of the kernel */
    int count;
    int nodes[AM_TAIL_LIMIT], from[AM_TAIL_LIMIT]; /* and which of its inputs comes from before */
} am_node_tail;

/* Permutations that say in the graph what a layout says: nothing is moved where their input or output lies so. */
typedef enum am_layout_move {
    AM_MOVE_NONE,
    AM_MOVE_TO_LAST,   /* [B, C, spatial..] to [B, spatial.., C]: the input with channels last is the output */
    AM_MOVE_FROM_LAST, /* the other way round: the input is the output with channels last */
} am_layout_move;

/* What a node is. */
am_layout_move am_layout_move_of(const am_graph *graph, const am_node *node);

typedef struct am_layouts {
    const am_graph *graph;
    const am_node_tail *const *tails; /* by node: the tail that it belongs to, as head or as a part; null: none */
    const am_kernel *const *kernels;  /* by node: the channels_last kernel that may compute it, or null */
    const am_layout_move *moves;      /* by node */
    bool *last;                       /* by value: whether it lies so */
    bool *plain;                      /* by value: whether somebody reads it as the graph says */
} am_layouts;

/* Fills `last` and `plain`, which are there and zeroed. */
void am_layouts_choose(am_layouts *layouts);

/* The value that the node's step gives: that of the end of its tail. */
am_value am_layouts_result(const am_layouts *layouts, int node);

/* Whether the kernel of a node has its input 0 with channels last. */
bool am_layouts_reads_last(const am_layouts *layouts, int node);

/* Whether the node computes something of inputs with channels last, or gives such: by its channels_last kernel then. */
bool am_layouts_is_used(const am_layouts *layouts, int node);

#endif

/* What program.c and place.c, which make a program, share. */
#ifndef AM_TARGETS_CPU_PROGRAM_INTERNAL_H
#define AM_TARGETS_CPU_PROGRAM_INTERNAL_H

#include "base/arena.h"
#include "targets/cpu/buffers.h"
#include "targets/cpu/layout.h"
#include "targets/cpu/prepared.h"
#include "targets/cpu/program.h"

/* Where a value's data is. Values that only rename another's memory (reshape) share its place. */
typedef enum place_kind { PLACE_NONE, PLACE_FIXED, PLACE_INPUT, PLACE_STATE, PLACE_BUFFER } place_kind;

typedef struct am_cpu_place {
    place_kind kind;
    int index; /* of the input, state or buffer */
    const void *fixed;
    const void *const *parts; /* where the whole, which is fixed, was not made (am_parts_find); else null */
    bool is_computed;         /* memory of this program has it */
} am_cpu_place;

/* Numbers in BF16. */
typedef struct am_cpu_rounding {
    am_cpu_place at;
    int readers, last_reader; /* how many kernels read them, and the last node that does */
    bool is_last;             /* they lie with channels last */
} am_cpu_rounding;

typedef struct am_cpu_step {
    const am_node *node; /* the last of its tail, else the kernel's own */
    const am_kernel *kernel;
    const am_node_tail *tail; /* null: none */
    const void *prepared;
    const am_part *parts;
    bool input_last, output_last; /* see am_kernel_call */
    bool is_copy;                 /* of the node's result, with channels last, as the graph says */
    bool is_rounding;             /* of the node's input 0 */
    bool input_rounded, output_rounded, also_rounded;
    int64_t nanoseconds, calls;
} am_cpu_step;

/* A weight shared with other programs. */
typedef struct am_cpu_prepared {
    am_prepared *weight;
    struct am_cpu_prepared *next;
} am_cpu_prepared;

struct am_cpu_program {
    const am_graph *graph;
    const am_micro *micro;
    const am_kernel *(*kernel_for)(const am_graph *graph, const am_node *node);
    bool reference_only, allows_bf16, profile, prepare;
    am_arena arena;
    am_cpu_place *places;      /* by value id */
    int *last_use;             /* by value id: node index of the last reader, node_count when it is an output */
    int *root;                 /* by value id: the value whose memory it renames, or itself */
    int *readers;              /* by root: how often its memory is read under any name */
    bool *apart;               /* by value id: see am_parts_find */
    am_cpu_place *last_places; /* by value id: where it is with channels last */
    am_cpu_rounding *rounded;  /* by root: its numbers in BF16 */
    bool *takes_rounded;       /* by node: whether its kernel takes input 0 so */
    am_layouts layouts;
    const am_node_tail **tails; /* by node: the tail that it belongs to, as head or as a part; null: none */
    am_cpu_buffer *buffers;
    int buffer_count;
    am_cpu_step *steps;
    int step_count;
    char *memory; /* of all buffers */
    size_t memory_bytes, scratch_bytes, fixed_bytes, other_bytes;
    void *scratch;
    void **fixed; /* results that depend on constants only */
    int fixed_count;
    am_cpu_prepared *prepared;
    void **output_copies; /* by output: where an input, constant or state is given out, else null */
};

static inline bool am_cpu_is_alias(const am_node *node)
{
    return node->op == AM_OP_RESHAPE;
}

/* The kernel that computes a node; in the layout that was chosen. */
const am_kernel *am_cpu_choose_kernel(const am_cpu_program *p, const am_node *node);
const am_kernel *am_cpu_kernel_at(const am_cpu_program *p, int node_index);

/* Whether a node's output, or its output with channels last, is its input. */
bool am_cpu_is_moved(const am_cpu_program *p, int node_index);

/* Where a value is in a run with these inputs and states, which may be null before there is one. */
am_tensor am_cpu_tensor_of(const am_cpu_program *p, am_value v, const am_tensor *inputs, void *const *states);

/* Calls a step's kernel; its error has the node's name. */
am_status am_cpu_call(const am_cpu_program *p, const am_cpu_step *s, const am_tensor *inputs,
                      void *const *states) AM_NODISCARD;

/* Gives a node's values their places and adds the steps that compute it; nodes come in the graph's order. Counts the
   inputs and states that were placed. */
am_status am_cpu_place_node(am_cpu_program *p, int node_index, int *next_input, int *next_state) AM_NODISCARD;

#endif

/* A cpu kernel: one function that computes one node. */
#ifndef AM_TARGETS_CPU_KERNEL_H
#define AM_TARGETS_CPU_KERNEL_H

#include "graph/ops.h"
#include "targets/cpu/isa.h"

/* Nodes that a kernel computes together with its own, on each piece of the result while that is at hand: the first
   reads the kernel's output, each other the one before. outputs[0] is the last one's. */
enum { AM_TAIL_LIMIT = 4, AM_TAIL_OPERANDS = 4 };

typedef struct am_tail_step {
    const am_node *node;
    int from;                             /* which of its inputs comes from before */
    am_tensor operands[AM_TAIL_OPERANDS]; /* its inputs but the one from before, in order; data null where absent */
} am_tail_step;

typedef struct am_tail {
    int count;
    am_tail_step steps[AM_TAIL_LIMIT];
} am_tail;

/* A part of a weight along its axis 0: as the graph has it, and in the form of the kernel's own, or null. */
typedef struct am_part {
    const void *data, *prepared;
} am_part;

/* One node to compute. Tensors are dense and row-major, aligned for their dtype; inputs[i].data is null where
   an optional input is absent. Outputs do not overlap inputs, except that outputs[0].data may be
   inputs[0].data where the kernel's row says in_place, or an operand of the tail where it adds_in_place. */
typedef struct am_kernel_call {
    const am_node *node;
    const am_tensor *inputs;
    int input_count;
    const am_tensor *outputs;
    int output_count;
    const am_micro *micro; /* vector routines of the level in use */
    const void *prepared;  /* what the kernel's `prepare` made when the program was compiled, or null */
    const am_part *parts;  /* of the prepared input, for kernels that read parts; null: it is one piece */
    const am_tail *tail;   /* null: none */
    /* For kernels that are am_kernel.channels_last: whether inputs[0], and whether outputs[0] and the tail's operands
       of its shape, lie as [B, spatial.., C]. Shapes are [B, C, spatial..] all the same. */
    bool input_last, output_last;
    /* Whether inputs[0], and whether outputs[0], are arrays of as many numbers in BF16 (am_kernel.reads_rounded,
       writes_rounded). */
    bool input_rounded, output_rounded;
    am_pair *also_rounded; /* where outputs[0] goes in BF16, too (AM_ROUNDED_TOO); null: nowhere */
    void *scratch;         /* as many bytes as the kernel asked for, aligned to 64; its content is garbage */
} am_kernel_call;

/* Computes the outputs. Fails with AM_OUT_OF_RANGE on bad indices, AM_OUT_OF_MEMORY. */
typedef am_status (*am_kernel_run)(const am_kernel_call *call);

/* Rounded alone, where nobody wants the output as it is; and so, too. */
enum am_rounded_output { AM_ROUNDED_ALONE = 1, AM_ROUNDED_TOO = 2 };

typedef struct am_kernel am_kernel;
struct am_kernel {
    const char *name; /* "linear_f32_avx2": what plans and profiles show */
    am_op_kind op;
    bool is_bf16; /* rounds what it multiplies to BF16: for programs that allow it (am_target_options) */
    /* Whether it takes input 0 rounded, which is done once for all kernels that read it. Null: never. */
    bool (*reads_rounded)(const am_graph *graph, const am_node *node);
    /* How it can give its output rounded: of am_rounded_output. nodes: its own and the tail's. Null: not at all. */
    unsigned (*writes_rounded)(const am_graph *graph, const am_node *const *nodes, int count);
    am_kernel_run run;
    bool (*supports)(const am_graph *graph, const am_node *node);        /* null: always */
    size_t (*scratch_bytes)(const am_graph *graph, const am_node *node); /* null: none */
    bool scratch_is_input; /* all of it is for input 0, rounded, and not needed where that comes so */
    bool in_place;
    /* Whether the kernel takes `next`, which reads what comes before as its input `from`, into its tail. nodes: its own
       and those it took. Null: no tail. */
    bool (*takes)(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from);
    bool takes_late; /* only what no other kernel takes */
    /* Of a kernel with channels last, inputs and results: whether each number that the tail adds is read before a
       result is written in its place. nodes: its own and the tail's. Null: never. */
    bool (*adds_in_place)(const am_graph *graph, const am_node *const *nodes, int count);
    /* Whether the prepared input is a weight [E, ..] of which each of the E parts may lie elsewhere, or have a form of
       its own (am_kernel_call.parts): inputs[..].data is null then, unless it is one piece. `prepare` and
       `prepared_bytes` are called with one part, its shape without the axis of E. */
    bool reads_parts;
    /* Where this input is a constant, programs that were asked to keep it in a form of the kernel's own: `prepare`
       fills `prepared_bytes` of memory aligned to 64. Both know the node, that input and `micro` alone. Null: there is
       no such form, as where the size is 0. Without it the kernel adds in another order at most. */
    int prepared_input;
    int prepared_version; /* of the form: one more whenever it changes, as forms are kept on disks */
    size_t (*prepared_bytes)(const am_kernel_call *call);
    void (*prepare)(const am_kernel_call *call, void *prepared);
    /* The kernel that computes the same where values have channels last, if its `supports` agrees, or else the one
       that it names itself; null: none. Its input 0 and its output may lie so, one or both; nodes that it
       `keeps_layout` of (null: none) have both so, or neither; `all_inputs`: so do all inputs. */
    const am_kernel *channels_last;
    bool any_layout; /* of such a kernel: it is the one to take where values lie as the graph says, too */
    bool (*keeps_layout)(const am_graph *graph, const am_node *node);
    bool all_inputs; /* and all numbers that the tail reads, unless it is one number */
};

/* The attributes of the node, as TYPE. */
#define AM_ATTRIBUTES(type, call) ((const type *)(call)->node->attributes)

/* --- reference kernels: plain scalar C that defines each op, in targets/cpu/reference/<op>.c --- */

#define AM_OP(id, name, class) am_status am_reference_##name(const am_kernel_call *call) AM_NODISCARD;
#include "graph/ops.def"
#undef AM_OP

/* --- helpers for reference kernels --- */

/* Walks the indices of a shape in row-major order while following offsets with the given strides:
       for (am_walk w = am_walk_begin(&shape); am_walk_more(&w); am_walk_next(&w)) ... w.index[..], w.flat ...
 */
typedef struct am_walk {
    const am_shape *shape;
    int64_t index[AM_RANK_LIMIT];
    int64_t flat, count;
} am_walk;

am_walk am_walk_begin(const am_shape *shape);
bool am_walk_more(const am_walk *walk);
void am_walk_next(am_walk *walk);

/* Sum of index[i] * strides[i] over the walk's dimensions. */
int64_t am_walk_offset(const am_walk *walk, const int64_t strides[AM_RANK_LIMIT]);

/* Index i of an index tensor, which must be in [0, size); the error names the place and the range. */
am_status am_read_index(const am_tensor *indices, int64_t i, int64_t size, int64_t *out) AM_NODISCARD;

#endif

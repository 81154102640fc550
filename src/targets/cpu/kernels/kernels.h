/* The fast cpu kernels, each in a file of its own; rows are tried in order, the first that supports a node
 * runs it. */
#ifndef AM_TARGETS_CPU_KERNELS_KERNELS_H
#define AM_TARGETS_CPU_KERNELS_KERNELS_H

#include "targets/cpu/kernel.h"

/* Ends with null. */
extern const am_kernel *const am_cpu_kernels[];

extern const am_kernel am_cpu_linear_bf16, am_cpu_attention_bf16, am_cpu_convolution_bf16, am_cpu_grouped_matmul_bf16;
extern const am_kernel am_cpu_linear, am_cpu_quantized_linear, am_cpu_matmul, am_cpu_grouped_matmul, am_cpu_convolution,
    am_cpu_attention, am_cpu_norm_rows, am_cpu_norm_channels, am_cpu_softmax, am_cpu_reduce, am_cpu_unary,
    am_cpu_binary, am_cpu_binary_truth, am_cpu_select, am_cpu_gated_activation, am_cpu_rope, am_cpu_permute,
    am_cpu_broadcast, am_cpu_slice, am_cpu_concat, am_cpu_pad, am_cpu_cast, am_cpu_gather, am_cpu_embedding,
    am_cpu_scatter, am_cpu_pool, am_cpu_recurrence, am_cpu_conv_transpose, am_cpu_resize;

/* Copies inputs[0] with channels last to outputs[0]; the program adds it where somebody reads such a value. */
extern const am_kernel am_cpu_channels_first;

/* Rounds inputs[0], F32, to outputs[0], as many numbers in BF16; the program adds it where kernels read such. */
extern const am_kernel am_cpu_round;

/* With up to so many rows a weight is read as it is: making panels of one that is no constant, or a larger form of
   16-bit numbers, costs more than it saves. */
enum { AM_FEW_ROWS = 4 };

/* How many pieces of `by` there are in n, the last one perhaps smaller. */
static inline int64_t am_pieces(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

/* Whether every present input and every output of the node is F32. */
bool am_all_f32(const am_graph *graph, const am_node *node);

/* Whether the node adds as many numbers as there are in `shape`, which its input `from` has, to them. */
bool am_is_plain_sum(const am_graph *graph, const am_node *node, int from, const am_shape *shape);

/* Whether rows of the last dimension have an even length, so that pairs are of one row. */
bool am_has_even_rows(const am_shape *shape);

/* For am_kernel.writes_rounded, without a tail: alone, where rows have an even length. */
unsigned am_rounds_even_rows(const am_graph *graph, const am_node *const *nodes, int count);

/* For am_kernel.keeps_layout: of every node. */
bool am_every_node(const am_graph *graph, const am_node *node);

/* A norm of a channel as x * factor + term; weight and bias may be null. */
typedef struct am_norm_line {
    double factor, term;
} am_norm_line;

am_norm_line am_norm_line_of(const am_norm_attributes *attributes, const float *weight, const float *bias,
                             int64_t channel, double mean, double variance);

#endif

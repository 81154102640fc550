/* What the files of the convolution's kernels share. */
#ifndef AM_TARGETS_CPU_KERNELS_CONVOLUTION_H
#define AM_TARGETS_CPU_KERNELS_CONVOLUTION_H

#include "targets/cpu/kernels/kernels.h"

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct am_conv_geometry {
    int64_t B, C, O, groups, positions; /* input and output channels; places of a plane of results */
    int64_t size[3], kernel[3], out[3], stride[3], dilation[3], before[3];
    bool is_sequence; /* see am_conv_is_sequence */
} am_conv_geometry;

/* Of a node of a graph, and of the node of a call. */
am_conv_geometry am_conv_of_node(const am_graph *graph, const am_node *node);
am_conv_geometry am_conv_of_call(const am_kernel_call *call);

/* Whether a window is a line of neighbouring places with all channels, none of it padding: where channels are last, a
   sequence of numbers in x. */
bool am_conv_is_sequence(const am_convolution_attributes *attributes, const am_shape *weight);

/* Whether there is one plane at most: no third dimension. */
bool am_conv_is_planar(const am_conv_geometry *g);

/* Rows and columns of the padded x that so many rows and columns of results need. */
int64_t am_conv_piece_rows(const am_conv_geometry *g, int64_t rows);
int64_t am_conv_piece_width(const am_conv_geometry *g, int64_t width);

/* `depth` channels, at most 4096, of rows y .. y + rows - 1 and columns x .. x + span - 1 of planes of x, as [row,
   column, channel], with 0 for what is outside. */
void am_conv_turn_piece(const am_conv_geometry *g, const float *planes, int64_t depth, int64_t y, int64_t rows,
                        int64_t x, int64_t span, float *to);

/* Numbers of one row of `size` at every `stride`-th place from `first` on, which may lie outside. */
void am_conv_gather_line(const float *row, int64_t size, int64_t first, int64_t stride, int64_t count, float *to);

/* A norm of a tail, for one channel. */
am_norm_line am_conv_norm(const am_tail_step *step, int64_t channel);

/* The tail, on numbers of channel `channel` of batch element `batch`, from `at` in its plane on. */
void am_conv_finish(const am_kernel_call *call, const am_conv_geometry *g, int64_t batch, int64_t channel, int64_t at,
                    float *y, int64_t count);

/* The same of sums, to which the bias is added first. */
void am_conv_finish_sums(const am_kernel_call *call, const am_conv_geometry *g, int64_t batch, int64_t channel,
                         int64_t at, float *y, int64_t count);

/* Whether `next` may come into the tail of a convolution (am_kernel.takes). */
bool am_conv_takes(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from);

/* --- with channels last (convolution_last.c) --- */

extern const am_kernel am_cpu_convolution_last, am_cpu_convolution_last_bf16;

/* To take before these where they support a node, with channels last or not (convolution_winograd.c). */
extern const am_kernel am_cpu_convolution_winograd, am_cpu_convolution_winograd_bf16;

/* For am_kernel.run: computes a call, unless it has no results, by a function of it and the weight as the kernel's
   `prepare` makes it: the call's, or made now. Fails with AM_OUT_OF_MEMORY. */
typedef void (*am_conv_compute)(const am_kernel_call *call, const float *prepared, bool has_pairs);
am_status am_conv_run(const am_kernel_call *call, const am_kernel *kernel, am_conv_compute fn) AM_NODISCARD;

/* For am_kernel.scratch_bytes: what am_conv_collect takes. */
size_t am_conv_last_scratch(const am_graph *graph, const am_node *node);

/* For am_kernel.reads_rounded and writes_rounded: pairs are of one place and one group; what a tail adds is in floats,
   at the place of the result. */
bool am_conv_reads_rounded(const am_graph *graph, const am_node *node);
unsigned am_conv_writes_rounded(const am_graph *graph, const am_node *const *nodes, int count);

/* Whether the tail has one sum, which is part of the first pass (am_conv_collect): it comes after at most one norm. */
bool am_conv_adds_early(const am_graph *graph, const am_node *const *nodes, int count);

/* Bias and tail as few passes over results: y * factors + terms + residual, below 0 made 0, then a function; each may
   be null or absent. */
typedef struct am_conv_pass {
    const float *factors, *terms, *residual;
    bool relu;
    am_unary_fn fn; /* AM_IDENTITY: none */
} am_conv_pass;

typedef struct am_conv_passes {
    int count;
    am_conv_pass passes[AM_TAIL_LIMIT + 1];
} am_conv_passes;

/* What is to be done to the results of a call; `scratch` has am_conv_scratch bytes and stays. */
am_conv_passes am_conv_collect(const am_kernel_call *call, int64_t O, float *scratch);
size_t am_conv_scratch(int64_t O);

/* Takes the last function out of the passes where results are rounded alone, to be applied with that; AM_IDENTITY
   where there is none. */
am_unary_fn am_conv_take_function(const am_kernel_call *call, am_conv_passes *passes);

/* The first pass but its function, from `channel` on of results that begin at y, as products end with it. */
am_ending am_conv_ending(const am_kernel_call *call, const am_conv_passes *passes, int64_t channel, const float *y);

/* Does it to `count` channels from `channel` on of `places` neighbouring results, the first of which is at y, rows
   `row` apart; `has_begun`: the first pass but its function is done. Where a pass has a residual y is in the output. */
void am_conv_pass_over(const am_kernel_call *call, const am_conv_passes *passes, int64_t row, int64_t channel,
                       int64_t count, float *y, int64_t places, bool has_begun);

/* --- windows as sequences of numbers, with weights in panels (convolution_windows.c) --- */

/* Whether a convolution can be computed so. */
bool am_conv_has_windows(const am_conv_geometry *g);

/* Whether each result of it is the sum of one product alone, x being read as it lies, with channels last. */
bool am_conv_is_one_product(const am_conv_geometry *g);

/* Whether windows can be rounded to pairs (am_micro.gemm_pairs). */
bool am_conv_has_pairs(const am_conv_geometry *g);

/* Of the weight in panels, of pairs where has_pairs. */
size_t am_conv_window_bytes(const am_kernel_call *call, bool has_pairs);

/* Fills them (am_kernel.prepare). */
void am_conv_prepare_windows(const am_kernel_call *call, void *prepared, bool has_pairs);

/* Computes it with prepared weights, which were prepared with the same has_pairs; x and y lie as the call says
   (am_kernel_call). `passes`: where y has channels last. */
void am_conv_run_windows(const am_kernel_call *call, const am_conv_geometry *g, const float *prepared,
                         const am_conv_passes *passes, bool has_pairs);

#endif

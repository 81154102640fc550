/* Attributes of the ops and the calls that add them to a graph.

   Shapes are written outermost first: x: [B, T, C]. Index tensors are I32 (I64 is taken too). A builder call
   never fails on its own: the first error is kept in the builder, later calls do nothing and give AM_NONE. */
#ifndef AM_GRAPH_OPS_H
#define AM_GRAPH_OPS_H

#include "graph/builder.h"
#include "graph/functions.h"

/* --- sources --- */

typedef struct am_constant_attributes {
    const char *name; /* of the weight in its file, or "" */
    am_dtype dtype;
    am_shape shape;
    const void *data; /* lent; outlives the graph */
    uint64_t hash;    /* of the bytes where they belong to the graph itself (small tables); 0 for weights */
} am_constant_attributes;

typedef struct am_input_attributes {
    const char *name;
    am_dtype dtype;
    am_shape shape;
    bool is_state;
} am_input_attributes;

typedef struct am_iota_attributes {
    am_dtype dtype;
    am_shape shape;
    int64_t axis;
    double start, step; /* element = start + step * index along axis */
} am_iota_attributes;

/* Uniform numbers in [0, 1), or normal ones, from a counter: element i depends on `seed` and i alone.
   Uniform: the upper 24 bits of splitmix64. Normal: am_normal_icdf of (its upper 53 bits + 1/2) 2^-53. */
typedef struct am_random_attributes {
    am_shape shape;
    int64_t seed;
    bool normal;
} am_random_attributes;

/* A constant whose data is lent: the caller keeps it alive as long as the graph. */
am_value am_constant_lent(am_builder *b, const char *name, am_dtype dtype, am_shape shape, const void *data);

/* A constant whose data is copied into the graph. */
am_value am_constant_copy(am_builder *b, am_dtype dtype, am_shape shape, const void *data);

/* Scalars of rank 0. */
am_value am_scalar(am_builder *b, am_dtype dtype, double value);

/* [start, start + step, ...) along `axis` of a tensor of `shape`. */
am_value am_iota(am_builder *b, am_dtype dtype, am_shape shape, int axis, double start, double step);

/* See am_random_attributes. */
am_value am_random(am_builder *b, am_shape shape, int64_t seed, bool normal);

/* --- movement --- */

typedef struct am_shape_attributes {
    am_shape shape;
} am_shape_attributes; /* reshape, broadcast */

typedef struct am_permute_attributes {
    am_shape order; /* output dimension i is input dimension order[i] */
} am_permute_attributes;

typedef struct am_slice_attributes {
    int64_t axis, start, count, step; /* indices start, start + step, ...: all inside; step may be negative */
} am_slice_attributes;

typedef struct am_axis_attributes {
    int64_t axis;
} am_axis_attributes; /* concat */

typedef enum am_pad_mode { AM_PAD_CONSTANT, AM_PAD_REFLECT, AM_PAD_REPLICATE, AM_PAD_CIRCULAR } am_pad_mode;

typedef struct am_pad_attributes {
    am_shape before, after; /* one count a dimension; negative crops, with AM_PAD_CONSTANT only */
    int mode;               /* am_pad_mode */
    double value;
} am_pad_attributes;

typedef struct am_cast_attributes {
    am_dtype dtype;
} am_cast_attributes;

/* Same elements in row-major order; one dimension may be -1. */
am_value am_reshape(am_builder *b, am_value x, am_shape shape);

/* am_permute(b, x, am_shape_of(0, 2, 1)). */
am_value am_permute(am_builder *b, am_value x, am_shape order);

/* Swaps two axes; negative ones count from the end. */
am_value am_transpose(am_builder *b, am_value x, int axis_a, int axis_b);

/* NumPy broadcasting to `shape`. */
am_value am_broadcast(am_builder *b, am_value x, am_shape shape);

/* x[.., start:stop:step, ..] along one axis, Python's rules for negative start and stop; AM_SLICE_END means
 * to the end. */
#define AM_SLICE_END INT64_MAX
am_value am_slice(am_builder *b, am_value x, int axis, int64_t start, int64_t stop);
am_value am_slice_step(am_builder *b, am_value x, int axis, int64_t start, int64_t stop, int64_t step);

/* x[.., index, ..] with the axis dropped. */
am_value am_index(am_builder *b, am_value x, int axis, int64_t index);

/* Joins along an axis. */
am_value am_concat(am_builder *b, const am_value *parts, int count, int axis);
am_value am_concat2(am_builder *b, am_value first, am_value second, int axis);

/* Pads one axis with zeros. */
am_value am_pad_zero(am_builder *b, am_value x, int axis, int64_t before, int64_t after);
am_value am_pad(am_builder *b, am_value x, const am_pad_attributes *options);

/* The same elements in another dtype, rounded to nearest even; reals into integers toward zero. */
am_value am_cast(am_builder *b, am_value x, am_dtype dtype);

/* x in the other's dtype; AM_NONE where x is that. */
am_value am_cast_like(am_builder *b, am_value x, am_value other);

/* Adds or drops dimensions of size 1. */
am_value am_unsqueeze(am_builder *b, am_value x, int axis);
am_value am_squeeze(am_builder *b, am_value x, int axis);

/* Merges axes first..last into one. */
am_value am_flatten(am_builder *b, am_value x, int first, int last);

/* --- pointwise --- */

typedef struct am_unary_attributes {
    int fn; /* am_unary_fn */
} am_unary_attributes;

typedef struct am_binary_attributes {
    int fn; /* am_binary_fn */
} am_binary_attributes;

/* fn of every element; the dtypes are those of am_unary_result. */
am_value am_unary(am_builder *b, am_unary_fn fn, am_value x);

/* Both operands of one dtype, broadcast against each other. */
am_value am_binary(am_builder *b, am_binary_fn fn, am_value x, am_value y);
am_value am_add(am_builder *b, am_value x, am_value y);
am_value am_sub(am_builder *b, am_value x, am_value y);
am_value am_mul(am_builder *b, am_value x, am_value y);
am_value am_div(am_builder *b, am_value x, am_value y);

/* With a number in x's dtype. */
am_value am_add_number(am_builder *b, am_value x, double y);
am_value am_mul_number(am_builder *b, am_value x, double y);
am_value am_binary_number(am_builder *b, am_binary_fn fn, am_value x, double y);

/* condition (BOOL) ? x : y, all three broadcast. */
am_value am_select(am_builder *b, am_value condition, am_value x, am_value y);

/* cap * tanh(x / cap). */
am_value am_soft_cap(am_builder *b, am_value x, double cap);

/* --- along an axis --- */

typedef struct am_reduce_attributes {
    int fn;        /* am_reduce_fn */
    am_shape axes; /* sorted, unique */
    bool keep_dims;
} am_reduce_attributes;

typedef struct am_arg_reduce_attributes {
    bool is_min; /* argmin; else argmax. The first of equals wins; NaN wins over all numbers */
    int64_t axis;
} am_arg_reduce_attributes; /* gives I32 without that axis */

typedef struct am_scan_attributes {
    int fn; /* AM_REDUCE_SUM, PROD, MAX, MIN */
    int64_t axis;
    bool exclusive, reverse;
} am_scan_attributes;

typedef struct am_sort_attributes {
    int64_t axis;
    bool descending;  /* stable; NaN is the largest number, as in PyTorch */
} am_sort_attributes; /* two outputs: values, I32 indices */

typedef struct am_top_k_attributes {
    int64_t axis, k;
    bool smallest;     /* sorted, best first; of equals the lower index first */
    bool torch_equals; /* which of equals are among the k is what torch.topk of the cpu leaves: see am_top_k_of_torch */
} am_top_k_attributes; /* two outputs: values, I32 indices */

typedef struct am_search_sorted_attributes {
    bool right; /* index after equals instead of before */
} am_search_sorted_attributes;

/* Over the given axes (negative ones count from the end, in any order), dropped or kept with size 1. */
am_value am_reduce(am_builder *b, am_reduce_fn fn, am_value x, am_shape axes, bool keep_dims);

/* Over the last axis, kept with size 1. */
am_value am_reduce_last(am_builder *b, am_reduce_fn fn, am_value x);

/* Place of the largest, or smallest, along an axis: I32 without that axis. */
am_value am_arg_reduce(am_builder *b, am_value x, int axis, bool is_min);

/* Running sum, product, maximum or minimum along an axis. */
am_value am_scan(am_builder *b, am_reduce_fn fn, am_value x, int axis, bool exclusive, bool reverse);

/* Sorted along an axis; out_indices: I32 places they came from. */
am_value am_sort(am_builder *b, am_value x, int axis, bool descending, am_value *out_indices);

/* The k best along an axis, best first; out_indices: I32 places they came from. */
am_value am_top_k(am_builder *b, am_value x, int axis, int64_t k, bool smallest, am_value *out_indices);

/* The same of the largest, where so many are equal that it matters which of them are taken: those that torch.topk takes
   on a cpu, by std::nth_element or, of less than every 64th, std::partial_sort of libstdc++. Sorted, too. Of a row only
   the first `length` count, an I32 scalar (or AM_NONE: all); where these are less than k, those behind them follow. */
am_value am_top_k_of_torch(am_builder *b, am_value x, int axis, int64_t k, am_value length, am_value *out_indices);

/* For each of values: [.., M] its place in sorted: [N] or [.., N] (torch.searchsorted). I32 of values' shape.
 */
am_value am_search_sorted(am_builder *b, am_value sorted, am_value values, bool right);

/* --- products --- */

typedef struct am_matmul_attributes {
    bool transpose_a, transpose_b; /* of the last two dimensions */
} am_matmul_attributes;

typedef struct am_linear_attributes {
    bool in_out;    /* weight is [K, N] (Conv1D of GPT-2) instead of [N, K] */
    int activation; /* am_unary_fn applied to the sum */
} am_linear_attributes;

/* a: [.., M, K] times b: [.., K, N], leading dimensions broadcast; sums in f32 or wider. */
am_value am_matmul(am_builder *b, am_value x, am_value y, bool transpose_x, bool transpose_y);

/* activation(x: [.., K] times weight^T + bias: [N]) + residual: [.., N]; weight [N, K] of any float dtype, the bias is
   cast to that of x. bias and residual may be AM_NONE. */
am_value am_linear_op(am_builder *b, am_value x, am_value weight, am_value bias, am_value residual,
                      const am_linear_attributes *options);

/* A weight [N, K] of 8 or 4 bits a number, in panels of AM_QUANTIZED_COLUMNS of its N rows, which are columns of the
   product: P = N / AM_QUANTIZED_COLUMNS rounded up, and what there is beyond N is not read. That is the form in which
   kernels of every vector width read it as it lies; it is never stored in another one.
   bits 8: weight U8 [P, K / 4, AM_QUANTIZED_COLUMNS, 4]: element [p, i, c, j] is number
   [p AM_QUANTIZED_COLUMNS + c, 4 i + j].
   bits 4: weight U8 [P, K / 8, AM_QUANTIZED_COLUMNS, 4]: the lower half of element [p, i, c, j] is k = 8 i + j, the
   upper one k = 8 i + 4 + j. Number q of [n, k] stands for (q - zero point) * scale, which are those of its group of
   `group` along K. */
enum { AM_QUANTIZED_COLUMNS = 16 };

typedef struct am_quantized_linear_attributes {
    int64_t bits;    /* 8 or 4 */
    int64_t columns; /* N */
    int64_t group;   /* divides K */
    int activation;  /* am_unary_fn applied to the sum */
} am_quantized_linear_attributes;

typedef struct am_quantized_linear_inputs {
    am_value x;           /* [.., K]; K is a multiple of 4, with 4 bits of 8 */
    am_value weight;      /* see above */
    am_value scales;      /* [P, K / group, AM_QUANTIZED_COLUMNS] of any float dtype */
    am_value zero_points; /* U8, the same shape; AM_NONE: the middle, 128 or 8 */
    am_value bias;        /* [N] or AM_NONE */
    am_value residual;    /* [.., N] or AM_NONE */
} am_quantized_linear_inputs;

/* activation(x times weight^T + bias) + residual: [.., N]. Kernels may round x to 8 bits, by groups of 32 numbers of a
   row that share one scale (see am_micro.quantize). */
am_value am_quantized_linear(am_builder *b, const am_quantized_linear_inputs *inputs,
                             const am_quantized_linear_attributes *options);

/* Row n of x: [N, K] times each expert it names in experts: I32 [N, S]; weight: [E, M, K], bias: [E, M] or
   AM_NONE; gives [N, S, M]. With x: [N, S, K] slot s of row n has an input of its own. */
am_value am_grouped_matmul(am_builder *b, am_value x, am_value experts, am_value weight, am_value bias);

/* Convolution over 1 to 3 spatial dimensions: x: [B, C, spatial..], weight: [O, C / groups, kernel..]
   (transposed: [C, O / groups, kernel..]), bias: [O] or AM_NONE. */
typedef struct am_convolution_attributes {
    am_shape stride, dilation, padding_before, padding_after; /* one number a spatial dimension; empty: 1, 1, 0, 0 */
    am_shape output_padding;                                  /* transposed only; empty: 0 */
    int64_t groups;                                           /* 0 means 1 */
} am_convolution_attributes;

/* x: [B, C, L..] with weight: [out, C / groups, kernel..], bias: [out] or AM_NONE -> [B, out, L'..]; 1 to 3 spatial
   dimensions; weight and bias are cast to the dtype of x. torch.nn.functional.conv1d, conv2d, conv3d. */
am_value am_convolution(am_builder *b, am_value x, am_value weight, am_value bias,
                        const am_convolution_attributes *options);

/* x: [B, C, L..] with weight: [C, out / groups, kernel..], bias: [out] or AM_NONE -> [B, out, L'..].
   Weight and bias are cast to the dtype of x. torch.nn.functional.conv_transpose1d, 2d, 3d. */
am_value am_conv_transpose(am_builder *b, am_value x, am_value weight, am_value bias,
                           const am_convolution_attributes *options);

/* --- windows --- */

typedef enum am_pool_fn { AM_POOL_MAX, AM_POOL_AVERAGE } am_pool_fn;

typedef struct am_pool_attributes {
    int fn;                                                           /* am_pool_fn */
    am_shape kernel, stride, dilation, padding_before, padding_after; /* empty stride: kernel; empty others: 1, 0, 0 */
    bool count_padding; /* averages divide by the kernel's size, padding included */
    bool ceil_mode;
    am_shape adaptive; /* not empty: output sizes; the rest is ignored (torch's adaptive pooling) */
} am_pool_attributes;

/* x: [B, C, spatial..]; see am_pool_attributes. */
am_value am_pool(am_builder *b, am_value x, const am_pool_attributes *options);

/* torch.nn.Unfold for any number of spatial dimensions: [B, C, spatial..] -> [B, C * kernel, positions]; fold
   is its transpose (overlaps are summed) to `output` spatial sizes. */
typedef struct am_unfold_attributes {
    am_shape kernel, stride, dilation, padding_before, padding_after;
    am_shape output; /* fold only */
} am_unfold_attributes;

am_value am_unfold(am_builder *b, am_value x, const am_unfold_attributes *options);
am_value am_fold(am_builder *b, am_value x, const am_unfold_attributes *options);

typedef enum am_resize_mode {
    AM_RESIZE_NEAREST,
    AM_RESIZE_NEAREST_EXACT,
    AM_RESIZE_LINEAR,
    AM_RESIZE_CUBIC,
    AM_RESIZE_AREA
} am_resize_mode;

/* torch.nn.functional.interpolate of [B, C, spatial..] to `size`; cubic has a = -0.75 (-0.5 with antialias).
 */
typedef struct am_resize_attributes {
    am_shape size;
    int mode; /* am_resize_mode */
    bool align_corners, antialias;
    double scale[3]; /* what scale_factor gave when it decides the coordinates; 0: from the sizes */
} am_resize_attributes;

am_value am_resize(am_builder *b, am_value x, const am_resize_attributes *options);

/* The input element that element i of a result is a copy of, along spatial dimension `axis` of `from` elements, in the
   modes NEAREST and NEAREST_EXACT. */
int64_t am_resize_nearest_index(const am_resize_attributes *a, int axis, int64_t from, int64_t i);

typedef struct am_grid_sample_attributes {
    int mode;    /* am_resize_mode: NEAREST, LINEAR or CUBIC */
    int padding; /* am_pad_mode: CONSTANT (zeros), REPLICATE (border), REFLECT */
    bool align_corners;
} am_grid_sample_attributes;

/* torch.nn.functional.grid_sample: x: [B, C, H, W] (or [B, C, D, H, W]), grid: [B, h, w, 2] in -1..1 as (x,
 * y). */
am_value am_grid_sample(am_builder *b, am_value x, am_value grid, const am_grid_sample_attributes *options);

typedef struct am_fourier_attributes {
    bool inverse, real_input,
        real_output; /* rfft: real_input; irfft: inverse and real_output; else complex: last dimension 2 */
    int64_t axis;    /* among the dimensions without the complex one */
    int64_t length;  /* of the transformed axis in the time domain; input is cropped or zero-padded to it */
} am_fourier_attributes;

/* Discrete Fourier transform along an axis; see am_fourier_attributes for which dimensions hold complex
 * numbers. */
am_value am_fourier(am_builder *b, am_value x, const am_fourier_attributes *options);

/* --- indexing --- */

typedef struct am_gather_attributes {
    int64_t axis;
    bool elementwise; /* torch.gather: index has x's rank; else torch.index_select with indices of any shape
                         in place of the axis */
} am_gather_attributes;

typedef enum am_scatter_fn { AM_SCATTER_SET, AM_SCATTER_ADD, AM_SCATTER_MIN, AM_SCATTER_MAX } am_scatter_fn;

typedef struct am_scatter_attributes {
    int64_t axis;
    bool elementwise; /* torch.scatter: index has updates' shape; else indices: [n] as torch.index_copy /
                         index_add */
    int fn;           /* am_scatter_fn; SET: the last of equals wins */
} am_scatter_attributes;

/* Indices outside of the axis are an AM_OUT_OF_RANGE error at run time; negative ones do not wrap. */
am_value am_gather(am_builder *b, am_value x, am_value indices, int axis, bool elementwise);
am_value am_scatter(am_builder *b, am_value x, am_value indices, am_value updates,
                    const am_scatter_attributes *options);

/* --- control --- */

/* Runs `body` up to `trips` times. Inputs of the node: carried values, then invariants. Inputs of the body:
   iteration (I32 scalar), carried, invariants. Outputs of the body: [condition: BOOL scalar, if
   has_condition], carried, stacked. Outputs of the node: carried after the last trip, stacked along a new
   first axis of size `trips` (zeros after a stop). */
typedef struct am_loop_attributes {
    const am_graph *body;
    int64_t trips, carried;
    bool has_condition; /* false after a trip ends the loop */
} am_loop_attributes;

/* Takes the body, which the graph then owns. */
void am_loop(am_builder *b, am_graph *body, const am_value *inputs, int input_count, const am_loop_attributes *options,
             am_value *outputs);

/* --- composites --- */

typedef enum am_norm_kind { AM_NORM_LAYER, AM_NORM_RMS, AM_NORM_GROUP, AM_NORM_BATCH } am_norm_kind;

/* LAYER, RMS: over the last dimension. GROUP: x: [B, C, ..], over C / groups channels and all positions
   (groups = C: instance norm). BATCH: x: [B, C, ..] with given mean and variance: [C]. weight, bias: [C] or
   AM_NONE. */
typedef struct am_norm_attributes {
    int kind; /* am_norm_kind */
    double eps;
    int64_t groups;
    double weight_offset; /* added to weight (1 in Gemma) */
} am_norm_attributes;

/* x normed as options say, in the shape and dtype of x; mean and variance are for BATCH, AM_NONE else. */
am_value am_norm_op(am_builder *b, am_value x, am_value weight, am_value bias, am_value mean, am_value variance,
                    const am_norm_attributes *options);

typedef struct am_softmax_attributes {
    int64_t axis;
    bool log;
} am_softmax_attributes;

/* exp(x) over its sum along an axis. */
am_value am_softmax(am_builder *b, am_value x, int axis);

/* Logarithm of am_softmax, computed without it. */
am_value am_log_softmax(am_builder *b, am_value x, int axis);

/* softmax(soft_cap(scale * q k^T) + bias, masked) v, per head; head h reads key/value head h / (heads /
   kv_heads). q: [B, T, H, D], k: [B, S, G, D], v: [B, S, G, E]; gives [B, T, H, E]. mask: BOOL, broadcastable
   to [B, H, T, S], true where attended; a row with nothing attended averages all its keys, as adding the
   lowest number to every score does. bias: float, broadcastable to [B, H, T, S]. sinks: [H], one more score a
   head that takes probability and gives nothing. offset: I32 scalar: query t stands at position offset + t,
   and only keys 0 .. offset + T - 1 exist (a cache of S places that is not full); without it queries stand at
   S - T .. S - 1. causal and window look at positions: key j is attended from position i when j <= i (causal)
   and i - j < window (window > 0; both sides where not causal: |i - j| < window). */
typedef struct am_attention_attributes {
    double scale;    /* 0: 1 / sqrt(D) */
    double soft_cap; /* 0: none */
    bool causal;
    int64_t window; /* 0: none */
} am_attention_attributes;

typedef struct am_attention_inputs {
    am_value q, k, v, mask, bias, sinks, offset;
} am_attention_inputs;

/* See am_attention_attributes for shapes and meaning; absent inputs are AM_NONE. */
am_value am_attention_op(am_builder *b, const am_attention_inputs *inputs, const am_attention_attributes *options);

/* Rotates the first R dimensions of each head of x: [B, T, H, D] by cos, sin: [B or 1, T, R / 2]. Half-split
   pairs dimension i with i + R / 2; interleaved pairs 2i with 2i + 1. */
typedef struct am_rope_attributes {
    bool interleaved;
} am_rope_attributes;

/* See am_rope_attributes for shapes. */
am_value am_rope_op(am_builder *b, am_value x, am_value cos, am_value sin, bool interleaved);

/* fn(gate) * up. Packed: up is AM_NONE and gate: [.., 2 N] holds gate then up. */
typedef struct am_gated_activation_attributes {
    int fn; /* am_unary_fn */
} am_gated_activation_attributes;

/* See am_gated_activation_attributes; up may be AM_NONE. */
am_value am_gated_activation(am_builder *b, am_unary_fn fn, am_value gate, am_value up);

/* Router: logits: [N, E] -> weights: [N, K], experts: I32 [N, K], best first. Scores are softmax or sigmoid
   of the logits; the choice looks at score + bias: [E] (or AM_NONE), within the best `group_top_k` of
   `groups` groups, a group being worth the sum of its `group_best` best; weights are the chosen scores,
   normalized to sum 1 if wanted, times scale. Where the groups hold fewer than top_k, the others follow by index. */
typedef struct am_expert_routing_attributes {
    int64_t top_k, groups, group_top_k;     /* groups 0: none */
    int64_t group_best;                     /* 0 means 2 */
    bool sigmoid, normalize, softmax_after; /* softmax_after: softmax over the K chosen logits only */
    double scale;                           /* 0 means 1 */
} am_expert_routing_attributes;

am_value am_expert_routing(am_builder *b, am_value logits, am_value bias, const am_expert_routing_attributes *options,
                           am_value *out_experts);

/* Recurrences over time, with a state that goes in and comes out. Inputs in this order; y has x's (or v's)
 * dtype, states keep theirs. */
typedef enum am_recurrence_kind {
    /* x, a: [B, T, ..], h0: [B, ..]: h = a h + x, y = h */
    AM_RECURRENCE_LINEAR,
    /* x: [B, T, 4H] (input side of the gates i f g o, biases added), weight: [4H, H], h0, c0: [B, H]; y: [B,
       T, H] */
    AM_RECURRENCE_LSTM,
    /* x: [B, T, 3H] (input side of r z n), weight: [3H, H], bias: [3H] (hidden side), h0: [B, H]; y: [B, T,
       H] (torch.nn.GRU) */
    AM_RECURRENCE_GRU,
    /* Mamba: x, delta: [B, T, D], A: [D, N], B, C: [B, T, N] or [B, T, G, N] (channel d reads group d / (D /
       G)), h0: [B, D, N]: h = exp(delta A) h + delta B x, y = sum of C h over N: [B, T, D] */
    AM_RECURRENCE_SELECTIVE_SCAN,
    /* q, k: [B, T, H, K], v: [B, T, H, V], decay, beta: [B, T, H], h0: [B, H, K, V] (Gated DeltaNet, arXiv
       2412.06464): h = exp(decay) h, then h = h + k (beta (v - k^T h)), y = q^T h: [B, T, H, V]; decay may be
       [B, T, H, K], one for each k */
    AM_RECURRENCE_GATED_DELTA,
} am_recurrence_kind;

typedef struct am_recurrence_attributes {
    int kind; /* am_recurrence_kind */
    bool reverse;
} am_recurrence_attributes;

/* Outputs: y for every step, then the states after the last one; returns y. */
am_value am_recurrence(am_builder *b, const am_value *inputs, int input_count, const am_recurrence_attributes *options,
                       am_value *out_states);

/* Rows of weight: [V, C] (any float dtype) as F32 at ids: [..]; gives [.., C]. */
am_value am_embedding_op(am_builder *b, am_value weight, am_value ids);

#endif

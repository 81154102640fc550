/* Writes a graph as MAX reads it: MLIR text of one mo.graph, every value with its type. Weights are not in the text: it
   names them, and they are given by pointer when the compiled graph is opened. */
#ifndef AM_TARGETS_MAX_MLIR_H
#define AM_TARGETS_MAX_MLIR_H

#include "graph/graph.h"

/* A value of the text: "%v<id>". */
typedef struct am_mx_value {
    int id;
    am_dtype dtype;
    am_shape shape;
} am_mx_value;

/* "w<index>" of the text. */
typedef struct am_mx_weight {
    const void *data;
    size_t bytes;
} am_mx_weight;

/* A state that a scatter writes at an offset, straight in the caller's memory. */
typedef struct am_mx_place {
    bool in_place;
    int offset_input;      /* of the graph's inputs: I32, rank 0 */
    int64_t count, places; /* offset + count <= places */
    int32_t scatter_value; /* id of the value after writing */
    int buffer;            /* id of the argument */
} am_mx_place;

/* Lives in the caller's storage; the graph is borrowed. */
typedef struct am_mlir {
    am_arena arena; /* of weights that the lowering makes or moves */
    am_buffer body;
    const am_graph *graph;
    am_mx_value *values; /* by value of the graph */
    am_mx_weight *weights;
    int weight_count, weight_capacity;
    am_mx_place *places; /* by state of the graph */
    int next_id, chain;  /* of values; of the last change of a buffer */
    bool failed;
} am_mlir;

enum { AM_MX_INPUTS = AM_INPUT_LIMIT };

/* Adds "FORM(inputs)ATTRIBUTES : types" with one result of this dtype and shape; attributes such as " [axis = 1]", or
   "". */
am_mx_value am_mx_add(am_mlir *m, const char *form, const char *attributes, const am_mx_value *inputs, int count,
                      am_dtype dtype, am_shape shape);
am_mx_value am_mx_add1(am_mlir *m, const char *form, const char *attributes, am_mx_value x, am_dtype dtype,
                       am_shape shape);
am_mx_value am_mx_add2(am_mlir *m, const char *form, const char *attributes, am_mx_value x, am_mx_value y,
                       am_dtype dtype, am_shape shape);

/* One input, its dtype and shape kept; two inputs broadcast, giving `dtype`. */
am_mx_value am_mx_unary(am_mlir *m, const char *form, am_mx_value x);
am_mx_value am_mx_binary(am_mlir *m, const char *form, am_mx_value x, am_mx_value y);
am_mx_value am_mx_compare(am_mlir *m, const char *form, am_mx_value x, am_mx_value y); /* gives BOOL */
am_mx_value am_mx_select(am_mlir *m, am_mx_value condition, am_mx_value x, am_mx_value y);

/* x in another dtype, as MAX converts. */
am_mx_value am_mx_cast(am_mlir *m, am_mx_value x, am_dtype dtype);

/* The same elements in another shape; each repeated to a larger one, as numpy broadcasts. */
am_mx_value am_mx_reshape(am_mlir *m, am_mx_value x, am_shape shape);
am_mx_value am_mx_broadcast(am_mlir *m, am_mx_value x, am_shape shape);

/* Dimension i of the result is dimension order->dims[i] of x. */
am_mx_value am_mx_permute(am_mlir *m, am_mx_value x, const am_shape *order);

/* x[.., start:stop:step, ..] along one axis; step > 0. */
am_mx_value am_mx_slice(am_mlir *m, am_mx_value x, int axis, int64_t start, int64_t stop, int64_t step);

/* Constants in the text. */
am_mx_value am_mx_numbers(am_mlir *m, am_dtype dtype, am_shape shape, const void *data);
am_mx_value am_mx_integers(am_mlir *m, const int64_t *numbers, int count); /* I64 of rank 1 */
am_mx_value am_mx_scalar(am_mlir *m, am_dtype dtype, double number);       /* rank 0 */

/* A constant whose data lies at `data`, which outlives the program; moved where it is not aligned to its elements. */
am_mx_value am_mx_lent(am_mlir *m, am_dtype dtype, am_shape shape, const void *data);

/* Room for a constant of F32 or I32 that the lowering computes, for am_mx_lent; null without memory (the writer has
   failed then). */
void *am_mx_room(am_mlir *m, am_shape shape);

/* "NAME = #mosh<ape[1, 2]> : !mosh.ape", for attributes. */
void am_mx_put_shape(am_buffer *out, const char *name, const am_shape *shape);

/* "!mo.tensor<[2, 3], f32>", "!mo.buffer<[2, 3], f32>". */
void am_mx_put_type(am_buffer *out, am_dtype dtype, const am_shape *shape);
void am_mx_put_buffer_type(am_buffer *out, am_dtype dtype, const am_shape *shape);

/* AM_OUT_OF_MEMORY when writing failed. */
am_status am_mx_status(const am_mlir *m) AM_NODISCARD;
void am_mx_deinit(am_mlir *m);

#endif

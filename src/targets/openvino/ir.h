/* Writes OpenVINO's model format, IR version 11, as text: layers, ports and edges. Constants are not in the text: it
   says at which address of this process they lie, and the reader is given the address space as its file of weights. */
#ifndef AM_TARGETS_OPENVINO_IR_H
#define AM_TARGETS_OPENVINO_IR_H

#include "graph/graph.h"

enum { AM_IR_INPUTS = AM_INPUT_LIMIT };

/* Where addresses are counted from; what lies below is never mapped. */
#define AM_IR_BASE ((uintptr_t)4096)

/* One output of a layer. */
typedef struct am_ir_value {
    int layer, port;
} am_ir_value;

/* Lives in the caller's storage; the graph is borrowed. The first error is kept in the buffers. */
typedef struct am_ir {
    am_arena arena; /* of constants that the lowering makes */
    am_buffer layers, edges;
    const am_graph *graph;
    am_ir_value *values; /* by value of the graph */
    int layer_count;
    bool for_file; /* what is compiled will be written to a file and read again */
    bool failed;
} am_ir;

/* Adds a layer: its type and opset ("MatMul", "opset1"), attributes as text ("transpose_a=\"true\"", or ""), inputs.
   Gives its first output; further ones have the next ports. */
am_ir_value am_ir_add(am_ir *ir, const char *type, const char *opset, const char *attributes, const am_ir_value *inputs,
                      int input_count, int output_count);
am_ir_value am_ir_add1(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x);
am_ir_value am_ir_add2(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x,
                       am_ir_value y);

/* am_ir_add with input_count 2 and numpy's broadcasting. */
am_ir_value am_ir_binary(am_ir *ir, const char *type, const char *opset, am_ir_value x, am_ir_value y);

/* A constant whose data lies at `data`, which outlives the compiled model. */
am_ir_value am_ir_lent(am_ir *ir, am_dtype dtype, const am_shape *shape, const void *data);

/* Small constants. */
am_ir_value am_ir_integers(am_ir *ir, const int64_t *numbers, int count); /* I64 of rank 1 */
am_ir_value am_ir_shape(am_ir *ir, const am_shape *shape);                /* the same from a shape */
am_ir_value am_ir_integer(am_ir *ir, int64_t number);                     /* I64 of rank 0 */
am_ir_value am_ir_scalar(am_ir *ir, am_dtype dtype, double number);

/* Widens to F32 as a plug-in likes it: a stored narrow weight that is to stay narrow in memory. */
am_ir_value am_ir_widen(am_ir *ir, am_ir_value weight);

/* x in another dtype, as the library converts: toward zero, without saturating. */
am_ir_value am_ir_convert(am_ir *ir, am_ir_value x, am_dtype dtype);

/* An input or output of the model, in the order of these calls. */
am_ir_value am_ir_parameter(am_ir *ir, am_dtype dtype, const am_shape *shape);
void am_ir_result(am_ir *ir, am_ir_value x);

/* "f32" of F32, and so on. */
const char *am_ir_element(am_dtype dtype);

/* The whole text. */
am_status am_ir_finish(am_ir *ir, am_buffer *out) AM_NODISCARD;
void am_ir_deinit(am_ir *ir);

#endif

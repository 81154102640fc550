/* OpenVINO's model format, IR version 11: a list of layers that is written as text. Constants are not in the text: it
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

typedef enum am_ir_kind { AM_IR_OPERATION, AM_IR_PARAMETER, AM_IR_CONSTANT } am_ir_kind;

typedef struct am_ir_layer {
    am_ir_kind kind;
    const char *type, *opset, *attributes, *information;
    const am_ir_value *inputs;
    int input_count, output_count;
    /* of parameters and constants */
    am_dtype dtype;
    am_shape shape;
    const void *data;
    bool is_given;      /* a constant that each run gives, as a parameter */
    const void *kept;   /* the compiled model's own copy of a constant */
    uint32_t free_dims; /* bit i: dimension i is any */
} am_ir_layer;

/* Lives in the caller's storage; the graph is borrowed. `failed`: out of memory, and kept. */
typedef struct am_ir {
    am_arena arena; /* of constants that the lowering makes, and of texts */
    am_ir_layer *layers;
    const am_graph *graph;
    am_ir_value *values; /* by value of the graph */
    bool *is_there;      /* by value: a constant that has its layer */
    int layer_count, layer_capacity;
    bool for_file; /* what is compiled will be written to a file and read again */
    bool failed;
} am_ir;

/* Adds a layer: its type and opset ("MatMul", "opset1"), which are literals, attributes as text
   ("transpose_a=\"true\"", or ""), inputs. Gives its first output; further ones have the next ports. */
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

typedef enum am_ir_relation {
    AM_IR_OTHER, /* not the same layers, or not the same weights */
    AM_IR_SIZES, /* differ in dimensions of parameters and in constants that are no weights */
    AM_IR_SAME   /* what `known` became does for both */
} am_ir_relation;

/* What two graphs have in common. A constant in the memory of a mapped file is a weight, the same at the same address
   only. Neither changes. */
am_ir_relation am_ir_compare(const am_ir *known, const am_ir *ir);

/* Makes free in `ir` what is free in `known` and in what the two differ, which are not AM_IR_OTHER: its text is then a
   model for both. With an arena, which lives as long as that model, constants that lie at different addresses are
   copied there; what lies at one address for two graphs outlives both. Without one, the model is that of `known`. */
am_status am_ir_join(const am_ir *known, am_ir *ir, am_arena *arena) AM_NODISCARD;

/* Undoes am_ir_join. */
void am_ir_separate(am_ir *ir);

/* Whether the layer is an input of the model, in the order of layers. */
bool am_ir_is_parameter(const am_ir_layer *layer);

/* The whole text. */
am_status am_ir_write(const am_ir *ir, am_buffer *out) AM_NODISCARD;
void am_ir_deinit(am_ir *ir);

#endif

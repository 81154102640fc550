/* The intermediate representation: values with static shapes, nodes of the op kinds of ops.def in topological
   order.

   Every importer writes it and every target reads it. A graph is built for one signature (input shapes and
   dtypes), is immutable afterwards, and owns everything but the data of constants that were lent to it. */
#ifndef AM_GRAPH_GRAPH_H
#define AM_GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/buffer.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <stdbool.h>

typedef enum am_op_kind {
#define AM_OP(id, name, class) AM_OP_##id,
#include "graph/ops.def"
#undef AM_OP
    AM_OP_COUNT
} am_op_kind;

/* Names a value of one graph. {0} is no value: an absent optional input, or what a failed builder call gives.
 */
typedef struct am_value {
    int32_t id;
} am_value;
#define AM_NONE ((am_value){0})

typedef struct am_node {
    am_op_kind op;
    int input_count, output_count;
    am_value *inputs;       /* absent optional inputs are AM_NONE */
    am_value first_output;  /* outputs have consecutive ids */
    const void *attributes; /* the op's struct of graph/ops.h; null when it has none */
    const char *name;       /* scope in which it was built, "encoder.layer.0.attention"; never null */
} am_node;

typedef struct am_value_info {
    am_dtype dtype;
    am_shape shape;
    int32_t producer; /* index into nodes */
} am_value_info;

typedef struct am_named_value {
    const char *name;
    am_value value;
} am_named_value;

/* Memory that lives from run to run (a KV cache): read as an input, replaced by `updated` (AM_NONE: never).
 */
typedef struct am_graph_state {
    const char *name;
    am_value value, updated;
} am_graph_state;

/* What must hold of an input before a run: `value` stands in it `count` times. */
typedef struct am_graph_check {
    const char *input;
    int64_t value, count;
    const char *what; /* of which there are `count`: "rows of image features" */
} am_graph_check;

typedef struct am_graph {
    am_arena arena;
    am_node *nodes;
    am_value_info *values; /* values[0] is unused */
    am_named_value *inputs, *outputs;
    am_graph_state *states;
    am_graph_check *checks;
    int node_count, value_count, input_count, output_count, state_count, check_count;
    int node_capacity, value_capacity, input_capacity, output_capacity, state_capacity, check_capacity;
} am_graph;

void am_graph_destroy(am_graph *graph);

/* Dtype and shape of a value of the graph. */
const am_value_info *am_graph_value(const am_graph *graph, am_value value);
const am_node *am_graph_producer(const am_graph *graph, am_value value);

/* Makes the first output of every node of a float dtype an output of the graph too, named after the node's scope: to
   look into a run. */
am_status am_graph_expose(am_graph *graph) AM_NODISCARD;

/* --- what an op is --- */

typedef enum am_field_kind {
    AM_FIELD_INT,   /* int64_t */
    AM_FIELD_REAL,  /* double */
    AM_FIELD_BOOL,  /* bool */
    AM_FIELD_ENUM,  /* int, printed by name */
    AM_FIELD_DTYPE, /* am_dtype */
    AM_FIELD_INTS,  /* am_shape: a list of up to AM_RANK_LIMIT integers */
    AM_FIELD_TEXT,  /* const char * */
    AM_FIELD_GRAPH, /* am_graph *: a body */
    AM_FIELD_DATA,  /* const void *: constant data, not printed */
} am_field_kind;

/* One attribute: how printing, hashing and comparing see it. */
typedef struct am_field {
    const char *name;
    am_field_kind kind;
    size_t offset;
    const char *const *names; /* of AM_FIELD_ENUM, ends with null */
} am_field;

typedef struct am_builder am_builder;

/* What `infer` sees: inputs[i] is null where an optional input is absent. It fills `outputs` and
 * `output_count`. */
typedef struct am_infer {
    const void *attributes;
    const am_value_info *const *inputs;
    int input_count;
    am_value_info *outputs; /* room for AM_OUTPUT_LIMIT */
    int output_count;       /* 1 unless infer changes it */
} am_infer;

enum { AM_INPUT_LIMIT = 256, AM_OUTPUT_LIMIT = 64 };

typedef struct am_op {
    const char *name;
    const char *summary; /* one sentence for docs/ops.md */
    int min_inputs, max_inputs;
    const am_field *fields; /* ends with a null name; null when there are none */
    size_t attributes_bytes;
    /* Checks dtypes, shapes and attributes and says what comes out. Messages name the op's input by its
       position and the shapes found; the builder puts op and scope before them. */
    am_status (*infer)(am_infer *context);
    /* Composites: rebuilds the node from simpler ops in another builder, `inputs` being its inputs there. */
    void (*expand)(am_builder *b, const am_node *node, const am_value *inputs, am_value *outputs);
    bool is_composite;
} am_op;

/* Descriptor of a kind. */
const am_op *am_op_of(am_op_kind kind);

/* --- printing, hashing --- */

/* Text of the graph, one node a line:
       %5: f32[2, 7, 32] = linear(%3, %4) {activation=gelu}  # encoder.layer.0.intermediate */
void am_graph_print(const am_graph *graph, am_buffer *out);

/* The same for one node. */
void am_graph_print_node(const am_graph *graph, const am_node *node, am_buffer *out);

/* Hash of everything but constant data lent by pointer: equal graphs hash equal in every process. */
uint64_t am_graph_hash(const am_graph *graph);

#endif

/* Runs one op by its reference kernel, by the kernels chosen for every instruction set of this machine, and,
   when it is a composite, by its expansion, and compares what comes out. */
#ifndef AM_TESTS_OPS_OP_TEST_H
#define AM_TESTS_OPS_OP_TEST_H

#include "test_support.h"

#include "graph/ops.h"
#include "targets/cpu/program.h"

#include <math.h>

enum { OP_TEST_INPUTS = 12 };

/* An input filled with numbers in [low, high): whole ones where the dtype is an integer or BOOL. */
typedef struct op_test_input {
    am_dtype dtype;
    am_shape shape;
    double low, high;
    bool special; /* every third element is one of NaN, the infinities, the zeros, the smallest and the
                     largest number */
    bool absent;
} op_test_input;

/* OP_F32(2, 3): [2, 3] in [-2, 2). OP_SCALAR(AM_F32): rank 0. OP_INDEX(5, 2, 3): I32 [2, 3] in 0..4. */
#define OP_OF(type, ...) ((op_test_input){.dtype = (type), .shape = am_shape_of(__VA_ARGS__), .low = -2, .high = 2})
#define OP_F32(...)      OP_OF(AM_F32, __VA_ARGS__)
#define OP_SCALAR(type)  ((op_test_input){.dtype = (type), .low = -2, .high = 2})
#define OP_INDEX(size, ...)                                                                                            \
    ((op_test_input){.dtype = AM_I32, .shape = am_shape_of(__VA_ARGS__), .low = 0, .high = (size)})
#define OP_BOOL(...) ((op_test_input){.dtype = AM_BOOL, .shape = am_shape_of(__VA_ARGS__), .low = 0, .high = 2})
#define OP_SPECIAL(type, ...)                                                                                          \
    ((op_test_input){.dtype = (type), .shape = am_shape_of(__VA_ARGS__), .low = -2, .high = 2, .special = true})
#define OP_ABSENT ((op_test_input){.absent = true})

/* An input list as two arguments. */
#define OP_INPUTS(...)                                                                                                 \
    (const op_test_input[]){__VA_ARGS__}, (int)(sizeof((op_test_input[]){__VA_ARGS__}) / sizeof(op_test_input))

/* Compares all ways to compute a node with these attributes and generated inputs. */
void op_test_compare(am_op_kind op, const void *attributes, const op_test_input *inputs, int count);

/* The same for each of the dtypes in place of F32 inputs. */
void op_test_compare_floats(am_op_kind op, const void *attributes, const op_test_input *inputs, int count);

/* Fails unless adding such a node is an AM_INVALID_ARGUMENT whose message holds `part` after the op's name.
 */
void op_test_refused(am_op_kind op, const void *attributes, const char *part, const op_test_input *inputs, int count);

/* Fails unless running such a node is this error. */
void op_test_run_fails(am_op_kind op, const void *attributes, am_code code, const char *part,
                       const op_test_input *inputs, int count);

/* --- small graphs by hand --- */

am_builder *op_test_builder(void);

/* A graph input of these values. */
am_value op_test_value(am_builder *b, am_dtype dtype, am_shape shape, const double *values);
#define OP_VALUES(b, dtype, shape, ...) op_test_value((b), (dtype), (shape), (const double[]){__VA_ARGS__})

/* Finishes the graph with `value` as its output, runs it by reference, and fails unless exactly these come
   out. Ends the builder. */
void op_test_expect(am_builder *b, am_value value, am_dtype dtype, am_shape shape, const double *values);
#define OP_EXPECT(b, value, dtype, shape, ...)                                                                         \
    op_test_expect((b), (value), (dtype), (shape), (const double[]){__VA_ARGS__})

/* Ends the builder and fails unless it keeps this error. */
void op_test_builder_fails(am_builder *b, am_code code, const char *part);

/* --- pieces of the above --- */

/* Memory of its own for a tensor; freed with op_test_free. */
am_tensor op_test_tensor(am_dtype dtype, am_shape shape);
void op_test_free(am_tensor *tensors, int count);

/* A node with present inputs as graph inputs, in their order. inputs[i].data is null where one is absent. */
typedef struct op_test_node {
    am_op_kind op;
    const void *attributes;
    am_tensor inputs[OP_TEST_INPUTS];
    int input_count;
} op_test_node;

am_status op_test_graph(const op_test_node *node, am_graph **out) AM_NODISCARD;

/* Runs the graph with the present inputs of the node; outputs are new tensors. */
am_status op_test_run(const am_graph *graph, const op_test_node *node, const am_cpu_program_options *options,
                      am_tensor *outputs) AM_NODISCARD;

/* Fails unless found is within relative * |expected| + absolute of expected everywhere, the same infinity, or
   NaN where expected is. Integers must be equal. `what` says what was compared. */
void op_test_expect_close(const am_tensor *expected, const am_tensor *found, double relative, double absolute,
                          const char *what);

/* The size of results that a sum of such numbers may be off by a fraction of: their root mean square, but at
   most 1 where every element stands for itself. Plus, for F16, what subnormal numbers are off by. */
double op_test_absolute(am_op_kind op, const am_tensor *expected, double relative);

/* Compares reference, other kernels and expansion of one node. */
void op_test_agree(const op_test_node *node);

/* Whether the op only moves or picks elements, so that all ways must give the same bits. */
bool op_test_is_exact(am_op_kind op);

#endif

/* Scalar functions by name and what dtypes they take and give. */
#ifndef AM_GRAPH_FUNCTIONS_H
#define AM_GRAPH_FUNCTIONS_H

#include "tensor/dtype.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum am_unary_fn {
#define AM_UNARY(id, name, definition) AM_##id,
#include "graph/functions.def"
#undef AM_UNARY
    AM_UNARY_COUNT
} am_unary_fn;

typedef enum am_binary_fn {
#define AM_BINARY(id, name, result, real, integer) AM_##id,
#include "graph/functions.def"
#undef AM_BINARY
    AM_BINARY_COUNT
} am_binary_fn;

typedef enum am_reduce_fn {
#define AM_REDUCE(id, name) AM_REDUCE_##id,
#include "graph/functions.def"
#undef AM_REDUCE
    AM_REDUCE_COUNT
} am_reduce_fn;

/* Names, in the order of the enums, ending with null. */
extern const char *const am_unary_names[];
extern const char *const am_binary_names[];
extern const char *const am_reduce_names[];

/* Result dtype for operands of `dtype`; false where the function does not take it.
   Unary: floats all; integers IDENTITY, ABS, NEG, SIGN, SQUARE, RELU; BOOL IDENTITY and LOGICAL_NOT.
   Binary: floats all but BIT_*; integers all but ATAN2; BOOL the comparisons, the LOGICAL_* and the BIT_*. */
bool am_unary_result(am_unary_fn fn, am_dtype dtype, am_dtype *out);
bool am_binary_result(am_binary_fn fn, am_dtype dtype, am_dtype *out);

/* The definitions. Reals go through doubles, integers through int64. */
double am_unary_real(am_unary_fn fn, double x);
int64_t am_unary_int(am_unary_fn fn, int64_t x);
double am_binary_real(am_binary_fn fn, double x, double y);
int64_t am_binary_int(am_binary_fn fn, int64_t x, int64_t y);

/* Inverse of the normal distribution function (Acklam's approximation refined by one Halley step). */
double am_normal_icdf(double p);

/* Activation by the name that configurations use (transformers.activations.ACT2FN): "gelu", "gelu_new",
   "silu" ...; false for a name that is none or needs parameters. */
bool am_activation_from_name(const char *name, size_t length, am_unary_fn *out);

#endif

/* Element types, shapes and tensors as the public interface shows them. */
#ifndef ANYMODEL_TENSOR_H
#define ANYMODEL_TENSOR_H

#include <anymodel/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Row: identifier, bytes per element, name, name in safetensors files.
   F8 types are those of OCP OFP8: E4M3 (finite, NaN but no infinities) and E5M2. BOOL is one byte, 0 or 1. */
#define AM_DTYPES(ROW)                                                                                                 \
    ROW(AM_F64, 8, "f64", "F64")                                                                                       \
    ROW(AM_F32, 4, "f32", "F32")                                                                                       \
    ROW(AM_F16, 2, "f16", "F16")                                                                                       \
    ROW(AM_BF16, 2, "bf16", "BF16")                                                                                    \
    ROW(AM_F8_E4M3, 1, "f8_e4m3", "F8_E4M3")                                                                           \
    ROW(AM_F8_E5M2, 1, "f8_e5m2", "F8_E5M2")                                                                           \
    ROW(AM_I64, 8, "i64", "I64")                                                                                       \
    ROW(AM_I32, 4, "i32", "I32")                                                                                       \
    ROW(AM_I16, 2, "i16", "I16")                                                                                       \
    ROW(AM_I8, 1, "i8", "I8")                                                                                          \
    ROW(AM_U8, 1, "u8", "U8")                                                                                          \
    ROW(AM_BOOL, 1, "bool", "BOOL")

typedef enum am_dtype {
#define ROW(id, bytes, name, file_name) id,
    AM_DTYPES(ROW)
#undef ROW
        AM_DTYPE_COUNT
} am_dtype;

enum { AM_RANK_LIMIT = 8 };

/* dims[0] is the outermost (slowest) dimension. Rank 0 is a scalar. */
typedef struct am_shape {
    int rank;
    int64_t dims[AM_RANK_LIMIT];
} am_shape;

/* A dense row-major tensor somewhere in memory; who owns `data` is said where one is given or taken. */
typedef struct am_tensor {
    am_dtype dtype;
    am_shape shape;
    void *data;
} am_tensor;

/* A tensor under its name; both are borrowed unless it is said otherwise. */
typedef struct am_named_array {
    const char *name;
    am_tensor tensor;
} am_named_array;

/* "f32"; a static string. */
AM_API const char *am_dtype_name(am_dtype dtype);

/* Bytes of one element. */
AM_API size_t am_dtype_bytes(am_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif

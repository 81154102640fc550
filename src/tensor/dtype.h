/* Element types: properties, and conversion of single elements and arrays. */
#ifndef AM_TENSOR_DTYPE_H
#define AM_TENSOR_DTYPE_H

#include <anymodel/tensor.h>

#include <stdbool.h>

/* Kinds of element type: F64 to F8 are floats, I64 to U8 integers. */
bool am_dtype_is_float(am_dtype dtype);
bool am_dtype_is_integer(am_dtype dtype); /* BOOL is not */

/* Type of a name in safetensors files ("F32") or of ours ("f32"); false when there is none. */
bool am_dtype_from_name(const char *name, size_t length, am_dtype *out);

/* Name in safetensors files ("BF16"); a static string. */
const char *am_dtype_file_name(am_dtype dtype);

/* Single numbers. To a narrower float: round to nearest even, overflow to infinity; in E4M3, which has none,
   infinity and all that is too large become the largest finite number, 448, as in PyTorch 2.15. NaN stays
   NaN. */
float am_f16_to_f32(uint16_t bits);
uint16_t am_f32_to_f16(float value);
float am_bf16_to_f32(uint16_t bits);
uint16_t am_f32_to_bf16(float value);
float am_f8_e4m3_to_f32(uint8_t bits);
uint8_t am_f32_to_f8_e4m3(float value);
float am_f8_e5m2_to_f32(uint8_t bits);
uint8_t am_f32_to_f8_e5m2(float value);

/* Element i of a dense array as a double, or as an integer (floats are truncated toward zero, out of range
 * saturates, NaN is 0). */
double am_load_real(am_dtype dtype, const void *data, int64_t i);
int64_t am_load_int(am_dtype dtype, const void *data, int64_t i);

/* Writes element i. Reals into integer types are truncated toward zero and saturate; into BOOL: whether
   nonzero. Integers into narrower integers wrap modulo 2^n, as PyTorch does. */
void am_store_real(am_dtype dtype, void *data, int64_t i, double value);
void am_store_int(am_dtype dtype, void *data, int64_t i, int64_t value);

/* Converts `count` elements, by integers when both types are integers or BOOL, by doubles otherwise. The
 * arrays do not overlap. */
void am_convert(am_dtype to, void *out, am_dtype from, const void *in, int64_t count);

#endif

#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
    size_t bytes;
    const char *name, *file_name;
} properties[AM_DTYPE_COUNT] = {
#define ROW(id, bytes, name, file_name) [id] = {bytes, name, file_name},
    AM_DTYPES(ROW)
#undef ROW
};

const char *am_dtype_name(am_dtype dtype)
{
    return properties[dtype].name;
}

const char *am_dtype_file_name(am_dtype dtype)
{
    return properties[dtype].file_name;
}

size_t am_dtype_bytes(am_dtype dtype)
{
    return properties[dtype].bytes;
}

bool am_dtype_is_float(am_dtype dtype)
{
    return dtype <= AM_F8_E5M2;
}

bool am_dtype_is_integer(am_dtype dtype)
{
    return dtype >= AM_I64 && dtype <= AM_U8;
}

static bool same(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

bool am_dtype_from_name(const char *name, size_t length, am_dtype *out)
{
    for (int i = 0; i < AM_DTYPE_COUNT; i++) {
        if (!same(properties[i].file_name, name, length) && !same(properties[i].name, name, length)) continue;
        *out = (am_dtype)i;
        return true;
    }
    return false;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float am_bf16_to_f32(uint16_t bits)
{
    return float_of((uint32_t)bits << 16);
}

uint16_t am_f32_to_bf16(float value)
{
    uint32_t bits = bits_of(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40); /* NaN stays NaN */
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

/* A small float of `exponent_bits` and `mantissa_bits` as a double-free float: exact, as all are
 * representable. */
static float widen(uint32_t bits, int exponent_bits, int mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1;
    uint32_t mantissa = bits & ((1u << mantissa_bits) - 1);
    int exponent = (int)(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
    float sign = bits >> (exponent_bits + mantissa_bits) & 1 ? -1.0f : 1.0f;
    if (exponent == 0) return sign * ldexpf((float)mantissa, 1 - bias - mantissa_bits);
    return sign * ldexpf((float)(mantissa | 1u << mantissa_bits), exponent - bias - mantissa_bits);
}

/* Rounds the magnitude of a finite value to nearest even in the small format; the result may overflow its
 * exponent field. */
static uint32_t narrow(float value, int exponent_bits, int mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1, exponent;
    float magnitude = fabsf(value);
    if (magnitude == 0) return 0;
    frexpf(magnitude, &exponent);
    exponent -= 1;
    if (exponent < 1 - bias) exponent = 1 - bias;
    uint32_t units = (uint32_t)rintf(ldexpf(magnitude, mantissa_bits - exponent)); /* <= 2^(mantissa_bits+1) */
    return ((uint32_t)(exponent + bias - 1) << mantissa_bits) + units;
}

float am_f16_to_f32(uint16_t bits)
{
    if ((bits & 0x7C00) == 0x7C00)
        return float_of((uint32_t)(bits & 0x8000) << 16 | 0x7F800000u | (uint32_t)(bits & 0x3FF) << 13);
    if (bits & 0x7C00)
        return float_of((uint32_t)(bits & 0x8000) << 16 | (((uint32_t)bits & 0x7FFF) + (112u << 10)) << 13);
    return widen(bits, 5, 10);
}

uint16_t am_f32_to_f16(float value)
{
    uint16_t sign = (uint16_t)(bits_of(value) >> 16 & 0x8000);
    if (isnan(value)) return sign | 0x7E00;
    if (fabsf(value) >= 65520.0f) return sign | 0x7C00;
    return (uint16_t)(sign | narrow(value, 5, 10));
}

float am_f8_e4m3_to_f32(uint8_t bits)
{
    return (bits & 0x7F) == 0x7F ? NAN : widen(bits, 4, 3);
}

uint8_t am_f32_to_f8_e4m3(float value)
{
    uint8_t sign = (uint8_t)(bits_of(value) >> 24 & 0x80);
    if (isnan(value)) return sign | 0x7F;
    if (fabsf(value) > 448.0f) return sign | 0x7E;
    return (uint8_t)(sign | narrow(value, 4, 3));
}

float am_f8_e5m2_to_f32(uint8_t bits)
{
    return am_f16_to_f32((uint16_t)(bits << 8));
}

uint8_t am_f32_to_f8_e5m2(float value)
{
    uint8_t sign = (uint8_t)(bits_of(value) >> 24 & 0x80);
    if (isnan(value)) return sign | 0x7F;
    if (fabsf(value) >= 61440.0f) return sign | 0x7C;
    return (uint8_t)(sign | narrow(value, 5, 2));
}

static int64_t saturate(double value, double low, double high)
{
    if (isnan(value)) return 0;
    if (value <= low) return (int64_t)low;
    if (value >= high) return high >= 0x1p63 ? INT64_MAX : (int64_t)high;
    return (int64_t)value;
}

double am_load_real(am_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case AM_F64:
        return ((const double *)data)[i];
    case AM_F32:
        return ((const float *)data)[i];
    case AM_F16:
        return am_f16_to_f32(((const uint16_t *)data)[i]);
    case AM_BF16:
        return am_bf16_to_f32(((const uint16_t *)data)[i]);
    case AM_F8_E4M3:
        return am_f8_e4m3_to_f32(((const uint8_t *)data)[i]);
    case AM_F8_E5M2:
        return am_f8_e5m2_to_f32(((const uint8_t *)data)[i]);
    default:
        return (double)am_load_int(dtype, data, i);
    }
}

int64_t am_load_int(am_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case AM_I64:
        return ((const int64_t *)data)[i];
    case AM_I32:
        return ((const int32_t *)data)[i];
    case AM_I16:
        return ((const int16_t *)data)[i];
    case AM_I8:
        return ((const int8_t *)data)[i];
    case AM_U8:
        return ((const uint8_t *)data)[i];
    case AM_BOOL:
        return ((const uint8_t *)data)[i] != 0;
    default:
        return saturate(am_load_real(dtype, data, i), -0x1p63, 0x1p63);
    }
}

void am_store_real(am_dtype dtype, void *data, int64_t i, double value)
{
    switch (dtype) {
    case AM_F64:
        ((double *)data)[i] = value;
        break;
    case AM_F32:
        ((float *)data)[i] = (float)value;
        break;
    case AM_F16:
        ((uint16_t *)data)[i] = am_f32_to_f16((float)value);
        break;
    case AM_BF16:
        ((uint16_t *)data)[i] = am_f32_to_bf16((float)value);
        break;
    case AM_F8_E4M3:
        ((uint8_t *)data)[i] = am_f32_to_f8_e4m3((float)value);
        break;
    case AM_F8_E5M2:
        ((uint8_t *)data)[i] = am_f32_to_f8_e5m2((float)value);
        break;
    case AM_I64:
        ((int64_t *)data)[i] = saturate(value, -0x1p63, 0x1p63);
        break;
    case AM_I32:
        ((int32_t *)data)[i] = (int32_t)saturate(value, INT32_MIN, INT32_MAX);
        break;
    case AM_I16:
        ((int16_t *)data)[i] = (int16_t)saturate(value, INT16_MIN, INT16_MAX);
        break;
    case AM_I8:
        ((int8_t *)data)[i] = (int8_t)saturate(value, INT8_MIN, INT8_MAX);
        break;
    case AM_U8:
        ((uint8_t *)data)[i] = (uint8_t)saturate(value, 0, UINT8_MAX);
        break;
    case AM_BOOL:
        ((uint8_t *)data)[i] = value != 0;
        break;
    case AM_DTYPE_COUNT:
        break;
    }
}

void am_store_int(am_dtype dtype, void *data, int64_t i, int64_t value)
{
    switch (dtype) {
    case AM_I64:
        ((int64_t *)data)[i] = value;
        break;
    case AM_I32:
        ((int32_t *)data)[i] = (int32_t)(uint32_t)(uint64_t)value;
        break;
    case AM_I16:
        ((int16_t *)data)[i] = (int16_t)(uint16_t)(uint64_t)value;
        break;
    case AM_I8:
        ((int8_t *)data)[i] = (int8_t)(uint8_t)(uint64_t)value;
        break;
    case AM_U8:
        ((uint8_t *)data)[i] = (uint8_t)(uint64_t)value;
        break;
    case AM_BOOL:
        ((uint8_t *)data)[i] = value != 0;
        break;
    default:
        am_store_real(dtype, data, i, (double)value);
        break;
    }
}

static void widen_array(float *out, am_dtype from, const uint16_t *in, int64_t count)
{
    if (from == AM_BF16)
        for (int64_t i = 0; i < count; i++) out[i] = am_bf16_to_f32(in[i]);
    else
        for (int64_t i = 0; i < count; i++) out[i] = am_f16_to_f32(in[i]);
}

void am_convert(am_dtype to, void *out, am_dtype from, const void *in, int64_t count)
{
    if (to == from) {
        if (count) memcpy(out, in, (size_t)count * am_dtype_bytes(to));
    } else if (to == AM_F32 && (from == AM_BF16 || from == AM_F16)) {
        widen_array(out, from, in, count);
    } else if (am_dtype_is_float(to) || am_dtype_is_float(from)) {
        for (int64_t i = 0; i < count; i++) am_store_real(to, out, i, am_load_real(from, in, i));
    } else {
        for (int64_t i = 0; i < count; i++) am_store_int(to, out, i, am_load_int(from, in, i));
    }
}

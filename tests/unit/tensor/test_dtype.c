#include "test_support.h"

#include "tensor/dtype.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A small float type: for the other formulation of its meaning, in doubles. */
typedef struct format {
    int exponent_bits, mantissa_bits;
    bool has_infinity; /* E4M3 has none: its largest exponent is an ordinary one, but for a NaN */
} format;

static const format F16 = {5, 10, true}, BF16 = {8, 7, true}, E4M3 = {4, 3, false}, E5M2 = {5, 2, true};

static int width(const format *f)
{
    return 1 + f->exponent_bits + f->mantissa_bits;
}

static double meaning(const format *f, unsigned bits)
{
    unsigned sign = bits >> (width(f) - 1), mantissa = bits & ((1u << f->mantissa_bits) - 1);
    unsigned exponent = bits >> f->mantissa_bits & ((1u << f->exponent_bits) - 1),
             largest = (1u << f->exponent_bits) - 1;
    int bias = (1 << (f->exponent_bits - 1)) - 1;
    double fraction = (double)mantissa / (1u << f->mantissa_bits), magnitude;
    if (exponent == largest && f->has_infinity) magnitude = mantissa ? NAN : INFINITY;
    else if (exponent == largest && mantissa == (1u << f->mantissa_bits) - 1) magnitude = NAN;
    else if (exponent == 0) magnitude = fraction * pow(2, 1 - bias);
    else magnitude = (1 + fraction) * pow(2, (int)exponent - bias);
    return sign ? -magnitude : magnitude;
}

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Every bit pattern means what the format says. */
static void expect_widening(const format *f, float (*widen)(unsigned bits))
{
    for (unsigned bits = 0; bits < 1u << width(f); bits++)
        if (!same((double)widen(bits), meaning(f, bits)))
            fail_msg("0x%x is %.9g, expected %.9g", bits, (double)widen(bits), meaning(f, bits));
}

/* Rounding is decided at the middle between neighbours: there, one float below, one above, and at the
   neighbours themselves. Positive values; `top` is the largest finite one, `beyond` what is above it. */
static void expect_narrowing(const format *f, unsigned (*narrow)(float value), unsigned beyond)
{
    unsigned top = 0, sign = 1u << (width(f) - 1);
    while (isfinite(meaning(f, top + 1))) top++;
    for (unsigned low = 0; low <= top; low++) {
        double step = low < top ? meaning(f, low + 1) - meaning(f, low) : meaning(f, top) - meaning(f, top - 1);
        float middle = (float)(meaning(f, low) + step / 2);
        unsigned up = low < top ? low + 1 : beyond, even = low % 2 ? up : low;
        bool ok = narrow((float)meaning(f, low)) == low && narrow(middle) == even &&
                  narrow(nextafterf(middle, 0)) == low && narrow(nextafterf(middle, INFINITY)) == up &&
                  narrow(-middle) == (sign | even) && narrow(-nextafterf(middle, INFINITY)) == (sign | up);
        if (middle == 0) ok = narrow(0.0f) == 0; /* the middle is no float: below 2^-149 */
        if (!ok) fail_msg("around 0x%x: %.9g", low, (double)middle);
    }
    assert_int_equal(narrow(INFINITY), beyond);
    assert_int_equal(narrow(-INFINITY), sign | beyond);
    assert_int_equal(narrow(3.4e38f), f == &BF16 ? 0x7F80 : beyond);
    assert_true(isnan(meaning(f, narrow(NAN))));
    assert_true(isnan(meaning(f, narrow(-NAN))));
    assert_int_equal(narrow(-0.0f), sign);
}

static float widen_f16(unsigned bits)
{
    return am_f16_to_f32((uint16_t)bits);
}
static float widen_bf16(unsigned bits)
{
    return am_bf16_to_f32((uint16_t)bits);
}
static float widen_e4m3(unsigned bits)
{
    return am_f8_e4m3_to_f32((uint8_t)bits);
}
static float widen_e5m2(unsigned bits)
{
    return am_f8_e5m2_to_f32((uint8_t)bits);
}
static unsigned narrow_f16(float value)
{
    return am_f32_to_f16(value);
}
static unsigned narrow_bf16(float value)
{
    return am_f32_to_bf16(value);
}
static unsigned narrow_e4m3(float value)
{
    return am_f32_to_f8_e4m3(value);
}
static unsigned narrow_e5m2(float value)
{
    return am_f32_to_f8_e5m2(value);
}

static void tensor_dtype__every_small_float_has_its_value(void **state)
{
    expect_widening(&F16, widen_f16);
    expect_widening(&BF16, widen_bf16);
    expect_widening(&E4M3, widen_e4m3);
    expect_widening(&E5M2, widen_e5m2);
}

static void tensor_dtype__rounds_to_nearest_even(void **state)
{
    expect_narrowing(&F16, narrow_f16, 0x7C00);
    expect_narrowing(&BF16, narrow_bf16, 0x7F80);
    expect_narrowing(&E4M3, narrow_e4m3, 0x7E);
    expect_narrowing(&E5M2, narrow_e5m2, 0x7C);
}

/* NaNs keep being NaNs whatever bits they have; a careless shift would make some of them infinite. */
static void tensor_dtype__every_nan_stays_nan(void **state)
{
    for (uint32_t payload = 1; payload < 1u << 23; payload += payload < 64 ? 1 : 4099) {
        for (uint32_t sign = 0; sign < 2; sign++) {
            uint32_t bits = sign << 31 | 0x7F800000u | payload;
            float value;
            memcpy(&value, &bits, sizeof value);
            assert_true(isnan(am_f16_to_f32(am_f32_to_f16(value))));
            assert_true(isnan(am_bf16_to_f32(am_f32_to_bf16(value))));
            assert_true(isnan(am_f8_e4m3_to_f32(am_f32_to_f8_e4m3(value))));
            assert_true(isnan(am_f8_e5m2_to_f32(am_f32_to_f8_e5m2(value))));
        }
    }
}

static void tensor_dtype__names_and_sizes(void **state)
{
    static const size_t sizes[AM_DTYPE_COUNT] = {8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 1, 1};
    for (int i = 0; i < AM_DTYPE_COUNT; i++) {
        am_dtype dtype = (am_dtype)i, found = AM_DTYPE_COUNT;
        assert_int_equal(am_dtype_bytes(dtype), sizes[i]);
        assert_true(am_dtype_from_name(am_dtype_name(dtype), strlen(am_dtype_name(dtype)), &found));
        assert_int_equal(found, dtype);
        found = AM_DTYPE_COUNT;
        assert_true(am_dtype_from_name(am_dtype_file_name(dtype), strlen(am_dtype_file_name(dtype)), &found));
        assert_int_equal(found, dtype);
        assert_int_equal(am_dtype_is_float(dtype), i <= AM_F8_E5M2);
        assert_int_equal(am_dtype_is_integer(dtype), i >= AM_I64 && i <= AM_U8);
    }
    am_dtype unused;
    assert_false(am_dtype_from_name("f3", 2, &unused));
    assert_false(am_dtype_from_name("f322", 4, &unused));
    assert_false(am_dtype_from_name("", 0, &unused));
    assert_string_equal(am_dtype_name(AM_BF16), "bf16");
    assert_string_equal(am_dtype_file_name(AM_F8_E4M3), "F8_E4M3");
}

static int64_t stored_real(am_dtype dtype, double value)
{
    int64_t memory = 0;
    am_store_real(dtype, &memory, 0, value);
    return am_load_int(dtype, &memory, 0);
}

static int64_t stored_int(am_dtype dtype, int64_t value)
{
    int64_t memory = 0;
    am_store_int(dtype, &memory, 0, value);
    return am_load_int(dtype, &memory, 0);
}

static void tensor_dtype__reals_saturate_in_integers(void **state)
{
    static const struct {
        am_dtype dtype;
        int64_t low, high;
    } types[] = {{AM_I64, INT64_MIN, INT64_MAX},
                 {AM_I32, INT32_MIN, INT32_MAX},
                 {AM_I16, INT16_MIN, INT16_MAX},
                 {AM_I8, INT8_MIN, INT8_MAX},
                 {AM_U8, 0, UINT8_MAX}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        am_dtype dtype = types[i].dtype;
        assert_int_equal(stored_real(dtype, 1e300), types[i].high);
        assert_int_equal(stored_real(dtype, INFINITY), types[i].high);
        assert_int_equal(stored_real(dtype, -1e300), types[i].low);
        assert_int_equal(stored_real(dtype, -INFINITY), types[i].low);
        assert_int_equal(stored_real(dtype, NAN), 0);
        assert_int_equal(stored_real(dtype, 2.9), 2);
        assert_int_equal(stored_real(dtype, -0.9), 0);
        assert_int_equal(stored_real(dtype, 127.99), 127);
    }
    assert_int_equal(stored_real(AM_I64, 0x1p63), INT64_MAX);
    assert_int_equal(stored_real(AM_I64, -0x1p63), INT64_MIN);
    assert_int_equal(stored_real(AM_I8, -2.9), -2);
    assert_int_equal(stored_real(AM_BOOL, 0.1), 1);
    assert_int_equal(stored_real(AM_BOOL, -0.0), 0);
    assert_int_equal(stored_real(AM_BOOL, NAN), 1);
}

static void tensor_dtype__integers_wrap(void **state)
{
    assert_int_equal(stored_int(AM_I8, 128), -128);
    assert_int_equal(stored_int(AM_U8, -1), 255);
    assert_int_equal(stored_int(AM_U8, 0x1FF), 255);
    assert_int_equal(stored_int(AM_I16, 0x18000), -32768);
    assert_int_equal(stored_int(AM_I32, INT64_C(0x1FFFFFFFF)), -1);
    assert_int_equal(stored_int(AM_I64, INT64_MIN), INT64_MIN);
    assert_int_equal(stored_int(AM_BOOL, 256), 1);
    assert_int_equal(stored_int(AM_F32, -7), -7);
    assert_int_equal(stored_int(AM_BF16, 256), 256);
}

static void tensor_dtype__floats_as_integers_are_truncated(void **state)
{
    double values[] = {-2.9, 2.9, 1e300, -1e300, NAN, -0.5};
    static const int64_t expected[] = {-2, 2, INT64_MAX, INT64_MIN, 0, 0};
    for (int i = 0; i < 6; i++) assert_int_equal(am_load_int(AM_F64, values, i), expected[i]);
}

/* am_convert does what loading and storing element by element does, for every pair of types. */
static void tensor_dtype__arrays_convert_like_elements(void **state)
{
    enum { COUNT = 67 };
    for (int from = 0; from < AM_DTYPE_COUNT; from++) {
        for (int to = 0; to < AM_DTYPE_COUNT; to++) {
            int64_t in[COUNT], out[COUNT + 1], expected[COUNT + 1];
            memset(out, 0xEE, sizeof out);
            memset(expected, 0xEE, sizeof expected);
            for (int i = 0; i < COUNT; i++) am_store_real((am_dtype)from, in, i, i * 1.5 - 20);
            bool whole = !am_dtype_is_float((am_dtype)from) && !am_dtype_is_float((am_dtype)to);
            for (int i = 0; i < COUNT; i++) {
                if (whole) am_store_int((am_dtype)to, expected, i, am_load_int((am_dtype)from, in, i));
                else am_store_real((am_dtype)to, expected, i, am_load_real((am_dtype)from, in, i));
            }
            am_convert((am_dtype)to, out, (am_dtype)from, in, COUNT);
            assert_memory_equal(out, expected, sizeof out);
        }
    }
    am_convert(AM_F32, NULL, AM_F32, NULL, 0);
    am_convert(AM_F32, NULL, AM_I8, NULL, 0);
}

static void tensor_dtype__large_integers_are_exact(void **state)
{
    int64_t in[2] = {INT64_C(9007199254740993), INT64_MIN + 1}, out[2];
    am_convert(AM_I64, out, AM_I64, in, 2);
    assert_int_equal(out[0], in[0]);
    assert_int_equal(out[1], in[1]);
    int32_t narrow[2];
    am_convert(AM_I32, narrow, AM_I64, in, 2);
    assert_int_equal(narrow[0], 1);
    assert_int_equal(narrow[1], 1);
}

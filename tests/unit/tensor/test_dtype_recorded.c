/* Conversions as torch makes them, recorded by tools/record/record_dtypes.py. */
#include "test_support.h"

#include "base/json.h"
#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

static am_json_document *recorded(void)
{
    am_json_document *document;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tensor/data/dtypes.json"), &document));
    return document;
}

static am_dtype dtype_of(const char *name)
{
    am_dtype dtype = AM_DTYPE_COUNT;
    assert_true(am_dtype_from_name(name, strlen(name), &dtype));
    return dtype;
}

static am_json element(am_json array, size_t index)
{
    am_json_iterator i = am_json_iterate(array);
    for (size_t k = 0; k <= index; k++) assert_true(am_json_next(&i));
    return i.value;
}

/* Stores each value and compares the bits. NaNs need only be NaNs. */
static void expect_narrowing(am_json types, am_dtype from, size_t expected_cases)
{
    size_t cases = 0;
    for (am_json_iterator type = am_json_iterate(types); am_json_next(&type);) {
        am_dtype dtype = dtype_of(type.key.bytes);
        for (am_json_iterator i = am_json_iterate(type.value); am_json_next(&i); cases++) {
            double value = am_json_real(element(i.value, 0), NAN);
            float value_f32 = (float)value;
            uint16_t bits = 0, expected = (uint16_t)am_json_int(element(i.value, 1), -1);
            am_convert(dtype, &bits, from, from == AM_F32 ? (const void *)&value_f32 : (const void *)&value, 1);
            if (bits != expected && !(isnan(am_load_real(dtype, &bits, 0)) && isnan(am_load_real(dtype, &expected, 0))))
                fail_msg("%.17g is %s 0x%x, expected 0x%x", value, type.key.bytes, bits, expected);
        }
    }
    assert_in_range(cases, expected_cases, 100000);
}

static void tensor_dtype_recorded__narrows_as_torch_does(void **state)
{
    am_json_document *document = recorded();
    expect_narrowing(am_json_get(am_json_root(document), "narrow"), AM_F32, 2500);
    expect_narrowing(am_json_get(am_json_root(document), "narrow_f64"), AM_F64, 200);
    am_json_close(document);
}

static void tensor_dtype_recorded__widens_as_torch_does(void **state)
{
    am_json_document *document = recorded();
    size_t cases = 0;
    for (am_json_iterator type = am_json_iterate(am_json_get(am_json_root(document), "widen")); am_json_next(&type);) {
        am_dtype dtype = dtype_of(type.key.bytes);
        for (am_json_iterator i = am_json_iterate(type.value); am_json_next(&i); cases++) {
            uint16_t bits = (uint16_t)am_json_int(element(i.value, 0), -1);
            float value = 7, expected = (float)am_json_real(element(i.value, 1), 7);
            am_convert(AM_F32, &value, dtype, &bits, 1);
            if (!(value == expected || (isnan(value) && isnan(expected))))
                fail_msg("%s 0x%x is %.9g, expected %.9g", type.key.bytes, bits, (double)value, (double)expected);
        }
    }
    assert_in_range(cases, 1800, 100000);
    am_json_close(document);
}

static void tensor_dtype_recorded__integers_convert_as_in_torch(void **state)
{
    am_json_document *document = recorded();
    size_t cases = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "integers")); am_json_next(&i);
         cases++) {
        am_dtype from = dtype_of(am_json_text(element(i.value, 1)).bytes),
                 to = dtype_of(am_json_text(element(i.value, 2)).bytes);
        int64_t in = 0, out = 0;
        if (am_dtype_is_float(from)) am_store_real(from, &in, 0, am_json_real(element(i.value, 0), NAN));
        else am_store_int(from, &in, 0, am_json_int(element(i.value, 0), -1));
        am_convert(to, &out, from, &in, 1);
        double found = am_load_real(to, &out, 0), expected = am_json_real(element(i.value, 3), NAN);
        if (found != expected)
            fail_msg("%.17g from %s to %s is %.17g, expected %.17g", am_json_real(element(i.value, 0), NAN),
                     am_dtype_name(from), am_dtype_name(to), found, expected);
    }
    assert_in_range(cases, 600, 100000);
    am_json_close(document);
}

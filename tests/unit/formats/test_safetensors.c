#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "tensor/dtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_LIMIT = 4096 };

/* A file of a header and `data_bytes` bytes 0, 1, 2 ... of data. The path is in a buffer of am_test_format.
 */
static const char *file_of(const char *header, size_t header_bytes, size_t data_bytes)
{
    uint8_t data[DATA_LIMIT], length[8];
    am_buffer bytes = {0};
    const char *path = am_test_format("%s/model.safetensors", am_test_temporary_directory());
    assert_true(data_bytes <= sizeof data);
    for (size_t i = 0; i < data_bytes; i++) data[i] = (uint8_t)i;
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)header_bytes >> 8 * i);
    am_buffer_append(&bytes, length, 8);
    am_buffer_append(&bytes, header, header_bytes);
    am_buffer_append(&bytes, data, data_bytes);
    am_test_write_file(path, bytes.bytes, bytes.length);
    am_buffer_deinit(&bytes);
    return path;
}

static void expect_rejected_as(am_code code, const char *header, size_t data_bytes, const char *part)
{
    am_tensor_table table = {0};
    const char *path = file_of(header, strlen(header), data_bytes);
    am_status status = am_safetensors_read(path, &table);
    assert_non_null(strstr(am_status_message(status), path));
    am_test_expect_error(status, code, part);
    am_tensor_table_deinit(&table);
}

static void expect_rejected(const char *header, size_t data_bytes, const char *part)
{
    expect_rejected_as(AM_INVALID_FILE, header, data_bytes, part);
}

static void formats_safetensors__reads_every_dtype(void **state)
{
    for (int i = 0; i < AM_DTYPE_COUNT; i++) {
        am_dtype dtype = (am_dtype)i;
        size_t bytes = am_dtype_bytes(dtype) * 6;
        am_tensor_table table = {0};
        const char *header = am_test_format("{\"t\":{\"dtype\":\"%s\",\"shape\":[2,3],\"data_offsets\":[0,%zu]}}",
                                            am_dtype_file_name(dtype), bytes);
        am_test_expect_ok(am_safetensors_read(file_of(header, strlen(header), bytes), &table));
        const am_named_tensor *t = am_tensor_table_find(&table, "t");
        assert_non_null(t);
        assert_int_equal(t->dtype, dtype);
        assert_int_equal(t->shape.rank, 2);
        assert_int_equal(t->shape.dims[0], 2);
        assert_int_equal(t->shape.dims[1], 3);
        assert_int_equal((uintptr_t)t->data % am_dtype_bytes(dtype), 0);
        for (size_t k = 0; k < bytes; k++) assert_int_equal(((const uint8_t *)t->data)[k], k);
        am_tensor_table_deinit(&table);
    }
}

/* Written by the safetensors package of Python (tools/record/record_checkpoints.py). */
static void formats_safetensors__reads_and_writes_as_the_reference_does(void **state)
{
    const char *recorded = am_test_source_path("tests/unit/formats/data/all_dtypes.safetensors");
    const char *written = am_test_format("%s/written.safetensors", am_test_temporary_directory());
    am_tensor_table table = {0};
    am_test_expect_ok(am_safetensors_read(recorded, &table));
    assert_int_equal(table.count, AM_DTYPE_COUNT + 4);
    for (size_t i = 0; i < table.count;
         i++) { /* each holds 0, 1, 2, 3 ... as far as it goes; booleans 0, 1, 1, 1 ... */
        const am_named_tensor *t = &table.tensors[i];
        for (int64_t k = 0; k < am_shape_count(&t->shape); k++)
            assert_int_equal(am_load_int(t->dtype, t->data, k), t->dtype == AM_BOOL && k ? 1 : k);
    }
    const am_named_tensor *scalar = am_tensor_table_find(&table, "scalar");
    assert_non_null(scalar);
    assert_int_equal(scalar->shape.rank, 0);
    assert_non_null(scalar->data);
    const am_named_tensor *empty = am_tensor_table_find(&table, "empty");
    assert_non_null(empty);
    assert_int_equal(empty->shape.dims[1], 3);
    assert_null(empty->data);
    assert_non_null(am_tensor_table_find(&table, "quote\" backslash\\ line\n \xc3\xa9 \xf0\x9f\x98\x80"));

    am_test_expect_ok(am_safetensors_write(written, table.tensors, table.count));
    size_t length, written_length;
    char *bytes = am_test_read_file(recorded, &length), *written_bytes = am_test_read_file(written, &written_length);
    assert_int_equal(length, written_length);
    assert_memory_equal(bytes, written_bytes, length);
    free(bytes);
    free(written_bytes);
    am_tensor_table_deinit(&table);
}

static void formats_safetensors__keeps_the_order_of_the_header(void **state)
{
    const char *header = "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]},"
                         "\"__metadata__\":{\"format\":\"pt\",\"any\":\"thing\"},"
                         "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}   ";
    am_tensor_table table = {0};
    am_test_expect_ok(am_safetensors_read(file_of(header, strlen(header), 5), &table));
    assert_int_equal(table.count, 2);
    assert_string_equal(table.tensors[0].name, "b");
    assert_string_equal(table.tensors[1].name, "a");
    assert_int_equal(((const uint8_t *)table.tensors[0].data)[0], 3);
    am_tensor_table_deinit(&table);
}

/* The header's length is not a multiple of 8 here, so that data is not aligned in the file. */
static void formats_safetensors__copies_what_is_not_aligned(void **state)
{
    for (int pad = 0; pad < 8; pad++) {
        const char *header = am_test_format("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                            "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[1,17]}}%*s",
                                            pad, "");
        am_tensor_table table = {0};
        am_test_expect_ok(am_safetensors_read(file_of(header, strlen(header), 17), &table));
        const am_named_tensor *b = am_tensor_table_find(&table, "b");
        assert_int_equal((uintptr_t)b->data % 8, 0);
        for (size_t k = 0; k < 16; k++) assert_int_equal(((const uint8_t *)b->data)[k], k + 1);
        am_tensor_table_deinit(&table);
    }
}

static void formats_safetensors__reads_files_without_tensors(void **state)
{
    am_tensor_table table = {0};
    am_test_expect_ok(am_safetensors_read(file_of("{}", 2, 0), &table));
    am_test_expect_ok(am_safetensors_read(file_of("{\"__metadata__\":{}}", 19, 0), &table));
    assert_int_equal(table.count, 0);
    am_tensor_table_deinit(&table);
}

static void formats_safetensors__reads_zero_length_tensors_anywhere(void **state)
{
    const char *header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                         "\"c\":{\"dtype\":\"F32\",\"shape\":[4,0,7],\"data_offsets\":[4,4]}}";
    am_tensor_table table = {0};
    am_test_expect_ok(am_safetensors_read(file_of(header, strlen(header), 4), &table));
    assert_int_equal(table.count, 3);
    assert_null(am_tensor_table_find(&table, "c")->data);
    am_tensor_table_deinit(&table);
}

static void formats_safetensors__rejects_what_is_no_file(void **state)
{
    am_tensor_table table = {0};
    const char *directory = am_test_temporary_directory();
    const char *fifo = am_test_format("%s/fifo", directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    am_test_expect_error(am_safetensors_read(am_test_format("%s/none", directory), &table), AM_NOT_FOUND, "/none");
    am_test_expect_error(am_safetensors_read(directory, &table), AM_IO, "not a regular file");
    am_test_expect_error(am_safetensors_read(fifo, &table), AM_IO, "not a regular file");
    am_test_expect_error(am_safetensors_read("/dev/zero", &table), AM_IO, "not a regular file");
    am_tensor_table_deinit(&table);
}

/* Every possible truncation of a sound file. */
static void formats_safetensors__rejects_truncated_files(void **state)
{
    const char *header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    size_t length;
    char *bytes = am_test_read_file(file_of(header, strlen(header), 16), &length);
    const char *path = am_test_format("%s/cut.safetensors", am_test_temporary_directory());
    for (size_t cut = 0; cut < length; cut++) {
        am_tensor_table table = {0};
        am_test_write_file(path, bytes, cut);
        am_test_expect_error(am_safetensors_read(path, &table), AM_INVALID_FILE, "truncated");
        am_tensor_table_deinit(&table);
    }
    free(bytes);
}

static void formats_safetensors__rejects_absurd_header_lengths(void **state)
{
    static const struct {
        const char *length, *message;
    } cases[] = {
        {"\0\0\0\0\0\0\0\x80", "header length 9223372036854775808"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff", "header length 18446744073709551615"},
        {"\xf8\xff\xff\xff\xff\xff\xff\xff", "header length 18446744073709551608"},
        {"\x0d\0\0\0\0\0\0\0", "header length 13 goes beyond the file of 20 bytes"},
    };
    const char *path = am_test_format("%s/x.safetensors", am_test_temporary_directory());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[20] = "????????{}          ";
        memcpy(bytes, cases[i].length, 8);
        am_tensor_table table = {0};
        am_test_write_file(path, bytes, sizeof bytes);
        am_test_expect_error(am_safetensors_read(path, &table), AM_INVALID_FILE, cases[i].message);
        am_tensor_table_deinit(&table);
    }
}

/* A sparse file, so that only the limit can refuse it. */
static void formats_safetensors__limits_the_header(void **state)
{
    const char *path = am_test_format("%s/x.safetensors", am_test_temporary_directory());
    am_tensor_table table = {0};
    am_test_write_file(path, "\x01\xe1\xf5\x05\0\0\0\0", 8);
    assert_int_equal(truncate(path, 200000000), 0);
    am_test_expect_error(am_safetensors_read(path, &table), AM_INVALID_FILE,
                         "header length 100000001 is above the limit of 100000000");
    am_tensor_table_deinit(&table);
}

static void formats_safetensors__rejects_headers_that_are_no_json_object(void **state)
{
    expect_rejected("{\"a\":", 0, "not JSON");
    expect_rejected("", 0, "not JSON");
    expect_rejected("\x80\x81", 0, "not JSON");
    expect_rejected("[]", 0, "header must be a JSON object, found an array");
    expect_rejected("{\"a\":[]}", 0, "tensor a: must be an object");
    expect_rejected("{\"__metadata__\":3}", 0, "__metadata__ must be an object");
    expect_rejected("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__.a must be a string, found an integer");
}

static void formats_safetensors__rejects_deep_json(void **state)
{
    enum { DEPTH = 10000 };
    static char header[2 * DEPTH + 7];
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEPTH);
    memset(header + 5 + DEPTH, ']', DEPTH);
    header[5 + 2 * DEPTH] = '}';
    expect_rejected(header, 0, "nested more than");
}

static void formats_safetensors__rejects_unknown_dtypes(void **state)
{
    expect_rejected("{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                    "tensor a: unknown dtype \"F33\"");
    expect_rejected("{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype \"f32\"");
    expect_rejected("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                    "dtype must be a string, found an integer");
    expect_rejected("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype must be a string, found nothing");
    expect_rejected_as(AM_UNSUPPORTED, "{\"a\":{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                       "tensor a: dtype U32 is not supported");
}

static void expect_shape_rejected(const char *shape, const char *part)
{
    expect_rejected(am_test_format("{\"a\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,4]}}", shape), 4, part);
}

static void formats_safetensors__rejects_impossible_shapes(void **state)
{
    expect_shape_rejected("[-1]", "dimension 0 of its shape is not a whole number");
    expect_shape_rejected("[1,2.5]", "dimension 1 of its shape is not a whole number");
    expect_shape_rejected("[\"1\"]", "dimension 0 of its shape is not a whole number");
    expect_shape_rejected("[9223372036854775808]", "dimension 0 of its shape is not a whole number");
    expect_shape_rejected("[9223372036854775807]", "is too large");
    expect_shape_rejected("[4294967296,4294967296]", "is too large");
    expect_shape_rejected("[0,4294967296,4294967296]", "is too large");
    expect_shape_rejected("[1,1,1,1,1,1,1,1,1]", "9 dimensions, at most 8");
    expect_shape_rejected("3", "shape must be an array, found an integer");
    expect_shape_rejected("[3]", "F32 of shape [3] takes 12 bytes, found 4");
    expect_shape_rejected("[1,0]", "takes 0 bytes, found 4");
}

static void expect_offsets_rejected(const char *offsets, const char *part)
{
    expect_rejected(am_test_format("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":%s}}", offsets), 4, part);
}

static void formats_safetensors__rejects_impossible_offsets(void **state)
{
    expect_offsets_rejected("[4,0]", "data_offsets [4, 0] end before they begin");
    expect_offsets_rejected("[0,8]", "[0, 8] go beyond the file, which has 4 bytes of data");
    expect_offsets_rejected("[9223372036854775803,9223372036854775807]", "go beyond the file");
    expect_offsets_rejected("[0,18446744073709551615]", "must be two whole numbers");
    expect_offsets_rejected("[-4,0]", "must be two whole numbers");
    expect_offsets_rejected("[0]", "must be two whole numbers");
    expect_offsets_rejected("[0,4,8]", "must be two whole numbers");
    expect_offsets_rejected("{}", "must be two whole numbers");
    expect_offsets_rejected("[0,4.5]", "must be two whole numbers");
}

static void formats_safetensors__rejects_overlapping_tensors(void **state)
{
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,5]},"
                    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
                    8, "tensors a and b overlap: one ends at 5, the other begins at 4");
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
                    "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
                    8, "overlap");
}

static void formats_safetensors__rejects_holes(void **state)
{
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                    "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[5,8]}}",
                    8, "hole in the data: tensor b begins at 5, expected 4");
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8, "begins at 4, expected 0");
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 8,
                    "tensors end at byte 4 of the data, the file at 8");
    expect_rejected("{}", 1, "tensors end at byte 0 of the data, the file at 1");
}

static void formats_safetensors__rejects_a_name_twice(void **state)
{
    expect_rejected("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                    "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                    2, "tensor a is there twice");
    const char *header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    const char *path = file_of(header, strlen(header), 1);
    am_tensor_table table = {0};
    am_test_expect_ok(am_safetensors_read(path, &table));
    am_test_expect_error(am_safetensors_read(path, &table), AM_INVALID_FILE, "tensor a is there twice");
    am_tensor_table_deinit(&table);
}

static void formats_safetensors__rejects_a_zero_byte_in_a_name(void **state)
{
    expect_rejected("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "zero byte");
}

static void formats_safetensors__refuses_to_write_nonsense(void **state)
{
    const char *path = am_test_format("%s/x.safetensors", am_test_temporary_directory());
    am_named_tensor two[2] = {{.name = "a", .dtype = AM_U8, .shape = am_shape_of(1), .data = "1"},
                              {.name = "a", .dtype = AM_I64, .shape = am_shape_of(0)}};
    am_test_expect_error(am_safetensors_write(path, two, 2), AM_INVALID_ARGUMENT, "two tensors are named a");
    two[1].name = "__metadata__";
    am_test_expect_error(am_safetensors_write(path, two, 2), AM_INVALID_ARGUMENT, "cannot be named __metadata__");
    two[1].name = "\xff";
    am_test_expect_error(am_safetensors_write(path, two, 2), AM_INVALID_ARGUMENT, "cannot be named");
    two[1].name = "b";
    two[1].shape = am_shape_of(-1);
    am_test_expect_error(am_safetensors_write(path, two, 2), AM_INVALID_ARGUMENT, "impossible shape");
    two[1].shape = am_shape_of(0);
    am_test_expect_error(am_safetensors_write("/nonexistent/x", two, 2), AM_NOT_FOUND, "/nonexistent/x");
    am_test_expect_ok(am_safetensors_write(path, two, 2));
}

static void formats_safetensors__failed_allocations_lose_nothing(void **state)
{
    const char *path = am_test_source_path("tests/unit/formats/data/all_dtypes.safetensors");
    const char *written = am_test_format("%s/written.safetensors", am_test_temporary_directory());
    int64_t n = 0;
    for (bool done = false; !done; n++) {
        am_tensor_table table = {0};
        am_memory_fail_after(n);
        am_status status = am_safetensors_read(path, &table);
        if (!status) status = am_safetensors_write(written, table.tensors, table.count);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_tensor_table_deinit(&table);
        assert_true(n <= 1000);
    }
    assert_in_range(n, 10, 1000);
}

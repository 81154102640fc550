/* The files under data/ are written by torch (tools/record/record_checkpoints.py). Archives that torch would
   not write are made here by libzip, around pickles of protocol 0 (see test_torch_pickle.c). */
#include "test_support.h"

#include "base/memory.h"
#include "formats/torch_checkpoint.h"
#include "tensor/dtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

static const char *recorded(const char *name)
{
    return am_test_source_path(am_test_format("tests/unit/formats/data/%s", name));
}

static void read_recorded(const char *name, am_tensor_table *table)
{
    am_test_expect_ok(am_torch_checkpoint_read(recorded(name), table));
}

static void expect_rejected_file(const char *path, am_code code, const char *part)
{
    am_tensor_table table = {0};
    am_status status = am_torch_checkpoint_read(path, &table);
    if (status) assert_non_null(strstr(am_status_message(status), path));
    am_test_expect_error(status, code, part);
    am_tensor_table_deinit(&table);
}

/* Fails unless the tensor is there with these values, row-major and aligned. */
static void expect_values(const am_tensor_table *table, const char *name, am_dtype dtype, am_shape shape,
                          const int *values)
{
    const am_named_tensor *tensor = am_tensor_table_find(table, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, dtype);
    assert_true(am_shape_equal(&tensor->shape, &shape));
    assert_int_equal((uintptr_t)tensor->data % am_dtype_bytes(dtype), 0);
    for (int64_t i = 0; i < am_shape_count(&shape); i++)
        assert_int_equal(am_load_int(dtype, tensor->data, i), values[i]);
}

static void expect_views(const char *file)
{
    static const int counting[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                   12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
    static const int transposed[] = {0, 4, 8,  12, 16, 20, 1, 5, 9,  13, 17, 21,
                                     2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23};
    am_tensor_table table = {0};
    read_recorded(file, &table);
    assert_int_equal(table.count, 8);
    expect_values(&table, "base", AM_F32, am_shape_of(2, 3, 4), counting);
    expect_values(&table, "second", AM_F32, am_shape_of(3, 4), counting + 12);
    expect_values(&table, "transposed", AM_F32, am_shape_of(4, 2, 3), transposed);
    expect_values(&table, "strided", AM_F32, am_shape_of(2, 2, 2), (int[]){4, 6, 8, 10, 16, 18, 20, 22});
    expect_values(&table, "repeated", AM_I16, am_shape_of(3, 2), (int[]){7, 7, 7, 7, 7, 7});
    expect_values(&table, "column", AM_U8, am_shape_of(4), (int[]){1, 4, 7, 10});
    expect_values(&table, "wide", AM_F64, am_shape_of(2, 3), (int[]){0, 2, 4, 1, 3, 5});
    expect_values(&table, "one", AM_F32, am_shape_of(1, 1, 3), (int[]){0, 0, 0});
    const float *base = am_tensor_table_find(&table, "base")->data;
    assert_ptr_equal(am_tensor_table_find(&table, "second")->data, base + 12); /* one storage, shared */
    am_tensor_table_deinit(&table);
}

static void formats_torch_checkpoint__reads_views_of_storages(void **state)
{
    expect_views("views.bin");
}

static void formats_torch_checkpoint__reads_compressed_archives(void **state)
{
    expect_views("views_compressed.bin");
}

static void formats_torch_checkpoint__reads_archives_without_padding(void **state)
{
    expect_views("views_unaligned.bin");
}

static void formats_torch_checkpoint__reads_the_form_before_zip(void **state)
{
    expect_views("views_old_form.bin");
}

static void formats_torch_checkpoint__reads_every_dtype(void **state)
{
    am_tensor_table table = {0};
    read_recorded("all_dtypes.bin", &table);
    assert_int_equal(table.count, AM_DTYPE_COUNT + 4);
    for (int i = 0; i < AM_DTYPE_COUNT; i++) {
        static const int counting[] = {0, 1, 2, 3, 4, 5}, booleans[] = {0, 1, 1, 1, 1, 1};
        expect_values(&table, am_dtype_name((am_dtype)i), (am_dtype)i, am_shape_of(2, 3),
                      i == AM_BOOL ? booleans : counting);
    }
    am_shape scalar = {.rank = 0};
    expect_values(&table, "scalar", AM_F64, scalar, (int[]){0});
    expect_values(&table, "empty", AM_F32, am_shape_of(0, 3), NULL);
    assert_null(am_tensor_table_find(&table, "empty")->data);
    expect_values(&table, "quote\" backslash\\ line\n \xc3\xa9 \xf0\x9f\x98\x80", AM_F32, am_shape_of(2),
                  (int[]){0, 1});
    am_tensor_table_deinit(&table);
}

/* What torch stores without compression and aligned is not copied. */
static void formats_torch_checkpoint__maps_what_is_dense(void **state)
{
    am_tensor_table table = {0};
    read_recorded("state_protocol2.bin", &table);
    assert_int_equal(table.file_count, 1);
    assert_int_equal(table.owned_count, 0);
    const uint8_t *begin = table.files[0].bytes, *weight = am_tensor_table_find(&table, "weight")->data;
    assert_true(weight > begin && weight < begin + table.files[0].size_bytes);
    am_tensor_table_deinit(&table);
    read_recorded("views.bin", &table);
    assert_int_equal(table.owned_count, 6); /* transposed, strided, repeated, column, wide, one */
    am_tensor_table_deinit(&table);
}

static void expect_state(const char *file)
{
    am_tensor_table table = {0};
    read_recorded(file, &table);
    assert_int_equal(table.count, 2);
    expect_values(&table, "weight", AM_F32, am_shape_of(2, 3), (int[]){0, 1, 2, 3, 4, 5});
    expect_values(&table, "bias", AM_F32, am_shape_of(2), (int[]){0, 1});
    am_tensor_table_deinit(&table);
}

static void formats_torch_checkpoint__reads_every_pickle_protocol(void **state)
{
    for (int protocol = 1; protocol <= 5; protocol++) expect_state(am_test_format("state_protocol%d.bin", protocol));
    for (int protocol = 2; protocol <= 5; protocol++)
        expect_state(am_test_format("state_old_form_protocol%d.bin", protocol));
}

static void formats_torch_checkpoint__looks_into_state_dict_only_when_the_top_has_no_tensors(void **state)
{
    expect_state("under_state_dict.bin");
    expect_state("under_model.bin");
    am_tensor_table table = {0};
    read_recorded("top_and_state_dict.bin", &table);
    assert_int_equal(table.count, 1);
    expect_values(&table, "extra", AM_F32, am_shape_of(3), (int[]){0, 1, 2});
    am_tensor_table_deinit(&table);
}

static void formats_torch_checkpoint__passes_over_what_is_no_tensor(void **state)
{
    am_tensor_table table = {0};
    read_recorded("with_attributes.bin", &table);
    assert_int_equal(table.count, 1);
    expect_values(&table, "parameter", AM_F32, am_shape_of(2, 2), (int[]){0, 1, 2, 3});
    am_tensor_table_deinit(&table);
}

/* posix.system is what os.system is called in a pickle. */
static void formats_torch_checkpoint__refuses_to_run_commands(void **state)
{
    expect_rejected_file(recorded("command.bin"), AM_INVALID_FILE, "posix.system refused");
    expect_rejected_file(recorded("command_old_form.bin"), AM_INVALID_FILE, "posix.system refused");
    expect_rejected_file(recorded("own_class.bin"), AM_INVALID_FILE, "__main__.Namespace refused");
}

static void formats_torch_checkpoint__says_what_is_not_supported(void **state)
{
    expect_rejected_file(recorded("complex.bin"), AM_UNSUPPORTED, "torch.ComplexFloatStorage is not supported");
    expect_rejected_file(recorded("uint32.bin"), AM_UNSUPPORTED, "torch.uint32 is not supported");
    expect_rejected_file(recorded("sparse.bin"), AM_UNSUPPORTED, "_rebuild_sparse_tensor is not supported");
    expect_rejected_file(recorded("script.bin"), AM_UNSUPPORTED, "TorchScript");
}

static void formats_torch_checkpoint__rejects_pickles_without_named_tensors(void **state)
{
    expect_rejected_file(recorded("list.bin"), AM_INVALID_FILE,
                         "no tensors: expected a dictionary of names and tensors, found a list");
    expect_rejected_file(recorded("no_tensors.bin"), AM_INVALID_FILE, "no tensors");
    expect_rejected_file(recorded("number_as_name.bin"), AM_INVALID_FILE, "a tensor whose name is an integer");
}

static void formats_torch_checkpoint__rejects_what_is_no_checkpoint(void **state)
{
    const char *directory = am_test_temporary_directory();
    const char *fifo = am_test_format("%s/fifo", directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    expect_rejected_file(am_test_format("%s/none", directory), AM_NOT_FOUND, "/none");
    expect_rejected_file(directory, AM_IO, "not a regular file");
    expect_rejected_file(fifo, AM_IO, "not a regular file");
    expect_rejected_file(am_test_write_text(directory, "empty", ""), AM_INVALID_FILE, "torch.save did not write this");
    expect_rejected_file(am_test_write_text(directory, "text", "PK? no"), AM_INVALID_FILE,
                         "torch.save did not write this");
    expect_rejected_file(recorded("all_dtypes.safetensors"), AM_INVALID_FILE, "torch.save did not write this");
}

static void expect_truncations_rejected(const char *name, size_t step)
{
    size_t length;
    char *bytes = am_test_read_file(recorded(name), &length);
    const char *path = am_test_format("%s/cut.bin", am_test_temporary_directory());
    for (size_t cut = 0; cut < length; cut += step) {
        am_test_write_file(path, bytes, cut);
        expect_rejected_file(path, AM_INVALID_FILE, "");
    }
    free(bytes);
}

static void formats_torch_checkpoint__rejects_truncated_files(void **state)
{
    expect_truncations_rejected("state_protocol2.bin", 3);
    expect_truncations_rejected("views_compressed.bin", 3);
    expect_truncations_rejected("state_old_form_protocol2.bin", 1);
    expect_truncations_rejected("views_old_form.bin", 3);
}

typedef struct member {
    const char *name;
    const void *bytes;
    size_t length;
    bool compressed;
} member;

/* Writes a zip archive of these members; the path is in a buffer of am_test_format. */
static const char *archive_of(const member *members, size_t count)
{
    const char *path = am_test_format("%s/made.bin", am_test_temporary_directory());
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(archive);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source = zip_source_buffer(archive, members[i].bytes, members[i].length, 0);
        assert_non_null(source);
        zip_int64_t index = zip_file_add(archive, members[i].name, source, ZIP_FL_ENC_UTF_8);
        assert_true(index >= 0);
        zip_int32_t method = members[i].compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
        assert_int_equal(zip_set_file_compression(archive, (zip_uint64_t)index, method, 0), 0);
    }
    assert_int_equal(zip_close(archive), 0);
    return path;
}

/* {"w": a view of the 6 floats of storage KEY} */
#define STORAGE(key, count) "(Vstorage\nctorch\nFloatStorage\nV" key "\nVcpu\nI" count "\ntQ"
#define VIEW(storage, offset, sizes, strides)                                                                          \
    "}Vw\nctorch._utils\n_rebuild_tensor_v2\n(" storage "I" offset "\n(" sizes "t(" strides "tI00\n)tRs."
#define SIX_FLOATS STORAGE("0", "6")

static const char *archive_of_pickle(const char *pickle)
{
    static const char six_floats[24];
    const member members[] = {{"m/data.pkl", pickle, strlen(pickle), false},
                              {"m/data/0", six_floats, sizeof six_floats, false}};
    return archive_of(members, 2);
}

static void expect_pickle_rejected(const char *pickle, const char *part)
{
    expect_rejected_file(archive_of_pickle(pickle), AM_INVALID_FILE, part);
}

static void formats_torch_checkpoint__reads_archives_made_here(void **state)
{
    am_tensor_table table = {0};
    const char *path = archive_of_pickle(VIEW(SIX_FLOATS, "1", "I2\nI2\n", "I3\nI1\n"));
    am_test_expect_ok(am_torch_checkpoint_read(path, &table));
    expect_values(&table, "w", AM_F32, am_shape_of(2, 2), (int[]){0, 0, 0, 0});
    am_tensor_table_deinit(&table);
}

static void formats_torch_checkpoint__rejects_views_beyond_their_storage(void **state)
{
    const char *part = "tensor w: ", *beyond = "its elements lie beyond storage 0 of 6 elements";
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I7\n", "I1\n"), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I7\n", "I1\n"), part);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "1", "I6\n", "I1\n"), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "6", "", ""), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "9223372036854775807", "I2\n", "I1\n"), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I2\nI2\n", "I4\nI2\n"), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I3\n", "I9223372036854775807\n"), beyond);
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I4294967296\n", "I4294967296\n"), beyond);
    const char *wider =
        "}Vw\nctorch._utils\n_rebuild_tensor_v3\n(" SIX_FLOATS "I0\n(I6\nt(I1\ntI00\n)ctorch\nfloat64\ntRs.";
    expect_pickle_rejected(wider, beyond);
}

/* The stride of a dimension of one element says nothing; the largest must not overflow a sum. */
static void formats_torch_checkpoint__ignores_strides_of_single_elements(void **state)
{
    am_tensor_table table = {0};
    const char *path =
        archive_of_pickle(VIEW(SIX_FLOATS, "0", "I1\nI2\nI1\n", "I9223372036854775807\nI3\nI9223372036854775807\n"));
    am_test_expect_ok(am_torch_checkpoint_read(path, &table));
    expect_values(&table, "w", AM_F32, am_shape_of(1, 2, 1), (int[]){0, 0});
    am_tensor_table_deinit(&table);
}

static void formats_torch_checkpoint__rejects_storages_that_do_not_fit(void **state)
{
    expect_pickle_rejected(VIEW(STORAGE("0", "7"), "0", "I6\n", "I1\n"), "storage 0 has 24 bytes, expected 28");
    expect_pickle_rejected(VIEW(STORAGE("0", "5"), "0", "I5\n", "I1\n"), "storage 0 has 24 bytes, expected 20");
    expect_pickle_rejected(VIEW(STORAGE("1", "6"), "0", "I6\n", "I1\n"), "archive member m/data/1 is missing");
    expect_pickle_rejected(VIEW(STORAGE("../data.pkl", "6"), "0", "I6\n", "I1\n"), "is missing");
}

static void formats_torch_checkpoint__rejects_names_that_cannot_be(void **state)
{
    expect_pickle_rejected("}(Vw\nctorch._utils\n_rebuild_tensor_v2\n(" SIX_FLOATS "I0\n)))tRp9\nVw\ng9\nu.",
                           "tensor w is there twice");
    expect_pickle_rejected("}V\xff\xfe\nctorch._utils\n_rebuild_tensor_v2\n(" SIX_FLOATS "I0\n)))tRs.", "not UTF-8");
}

/* A few bytes that unfold into gigabytes: a view that repeats one element. */
static void formats_torch_checkpoint__refuses_views_that_exhaust_memory(void **state)
{
    expect_pickle_rejected(VIEW(SIX_FLOATS, "0", "I1000000000000\n", "I0\n"),
                           "a dense copy needs 4000000000000 bytes, too many");
}

static void formats_torch_checkpoint__refuses_zip_bombs(void **state)
{
    enum { ZEROS = 100 << 20 };
    char *zeros = calloc(ZEROS, 1);
    assert_non_null(zeros);
    const char *pickle = VIEW(STORAGE("0", "26214400"), "0", "I26214400\n", "I1\n");
    const member storage[] = {{"m/data.pkl", pickle, strlen(pickle), false}, {"m/data/0", zeros, ZEROS, true}};
    expect_rejected_file(archive_of(storage, 2), AM_INVALID_FILE,
                         "m/data/0 needs 104857600 bytes, too many for a file of");
    const member state_itself[] = {{"m/data.pkl", zeros, ZEROS, true}};
    expect_rejected_file(archive_of(state_itself, 1), AM_INVALID_FILE,
                         "m/data.pkl declares 104857600 bytes, more than the limit of 67108864");
    free(zeros);
}

/* Changes 4 bytes in the zip directory's entry of m/data/0: its size (at 24) or packed size (at 20). */
static const char *archive_with_size(size_t field, uint32_t value)
{
    size_t length;
    const char *path = archive_of_pickle(VIEW(SIX_FLOATS, "0", "I6\n", "I1\n"));
    char *bytes = am_test_read_file(path, &length);
    for (size_t i = 0; i + 54 < length; i++)
        if (memcmp(bytes + i, "PK\1\2", 4) == 0 && memcmp(bytes + i + 46, "m/data/0", 8) == 0)
            memcpy(bytes + i + field, &value, sizeof value);
    am_test_write_file(path, bytes, length);
    free(bytes);
    return path;
}

static void formats_torch_checkpoint__rejects_archives_that_contradict_themselves(void **state)
{
    expect_rejected_file(archive_with_size(24, 0xFFFFFFF0u), AM_INVALID_FILE, "");
    expect_rejected_file(archive_with_size(20, 0xFFFFFFF0u), AM_INVALID_FILE, "");
    expect_rejected_file(archive_with_size(24, 4), AM_INVALID_FILE, "");
    expect_rejected_file(archive_with_size(42, 0x7FFFFFF0u), AM_INVALID_FILE, ""); /* where its local header is */
}

static void formats_torch_checkpoint__rejects_other_archives(void **state)
{
    const member big_endian[] = {{"m/data.pkl", "}.", 2, false}, {"m/byteorder", "big", 3, false}};
    expect_rejected_file(archive_of(big_endian, 2), AM_UNSUPPORTED, "byte order is \"big\", expected \"little\"");
    const member other[] = {{"a/b", "x", 1, false}};
    expect_rejected_file(archive_of(other, 1), AM_INVALID_FILE, "no a/data.pkl in it");
    const member flat[] = {{"data.pkl", "}.", 2, false}};
    expect_rejected_file(archive_of(flat, 1), AM_INVALID_FILE, "torch.save did not write");
}

/* A changed byte in a compressed member is found by its checksum. */
static void formats_torch_checkpoint__rejects_damaged_members(void **state)
{
    size_t length;
    const char *pickle = VIEW(SIX_FLOATS, "0", "I6\n", "I1\n");
    const char *path = archive_of_pickle(pickle);
    char *bytes = am_test_read_file(path, &length);
    for (size_t i = 0; i + strlen(pickle) < length; i++)
        if (memcmp(bytes + i, pickle, strlen(pickle)) == 0) bytes[i + 1] = 'S';
    am_test_write_file(path, bytes, length);
    free(bytes);
    expect_rejected_file(path, AM_INVALID_FILE, "m/data.pkl: CRC error");
}

static void expect_torture_survived(const char *name)
{
    int64_t n = 0;
    const char *path = recorded(name);
    for (bool done = false; !done; n++) {
        am_tensor_table table = {0};
        am_memory_fail_after(n);
        am_status status = am_torch_checkpoint_read(path, &table);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        else assert_int_equal(table.count, 8);
        am_tensor_table_deinit(&table);
        assert_true(n <= 1000);
    }
    assert_in_range(n, 10, 1000);
}

static void formats_torch_checkpoint__failed_allocations_lose_nothing(void **state)
{
    expect_torture_survived("views.bin");
    expect_torture_survived("views_compressed.bin");
    expect_torture_survived("views_old_form.bin");
}

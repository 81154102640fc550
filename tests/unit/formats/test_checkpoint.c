#include "test_support.h"

#include "base/memory.h"
#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "tensor/dtype.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A safetensors file of one-element tensors of these names (ended by null), that hold 0, 1, 2 ... */
static void write_shard(const char *directory, const char *file, const char *const *names)
{
    static const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    am_named_tensor tensors[8];
    size_t count = 0;
    for (; names[count]; count++)
        tensors[count] =
            (am_named_tensor){.name = names[count], .dtype = AM_I32, .shape = am_shape_of(1), .data = &numbers[count]};
    am_test_expect_ok(am_safetensors_write(am_test_format("%s/%s", directory, file), tensors, count));
}

#define write_shard_of(directory, file, ...) write_shard(directory, file, (const char *const[]){__VA_ARGS__, NULL})

static const char *const INDEX = "model.safetensors.index.json";

/* A folder with shards a.safetensors (x, y) and b.safetensors (z) and this index. */
static const char *sharded_model(const char *index)
{
    const char *directory = am_test_temporary_directory();
    write_shard_of(directory, "a.safetensors", "x", "y");
    write_shard_of(directory, "b.safetensors", "z");
    am_test_write_text(directory, INDEX, index);
    return directory;
}

static void expect_rejected_directory(const char *directory, am_code code, const char *part)
{
    am_tensor_table table = {0};
    am_test_expect_error(am_checkpoint_read(directory, &table), code, part);
    assert_int_equal(table.count, 0); /* and all of it is released */
    assert_null(table.tensors);
    assert_null(table.arena.blocks);
}

static void expect_rejected(const char *index, const char *part)
{
    expect_rejected_directory(sharded_model(index), AM_INVALID_FILE, part);
}

static int64_t value_of(const am_tensor_table *table, const char *name)
{
    const am_named_tensor *tensor = am_tensor_table_find(table, name);
    assert_non_null(tensor);
    return am_load_int(tensor->dtype, tensor->data, 0);
}

static void formats_checkpoint__reads_one_file(void **state)
{
    const char *directory = am_test_temporary_directory();
    am_tensor_table table = {0};
    write_shard_of(directory, "model.safetensors", "x", "y");
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 2);
    assert_int_equal(value_of(&table, "y"), 1);
    assert_string_equal(table.tensors[0].file, am_test_format("%s/model.safetensors", directory));
    am_tensor_table_deinit(&table);
}

static void formats_checkpoint__reads_shards(void **state)
{
    const char *directory = sharded_model("{\"metadata\":{\"total_size\":12},\"weight_map\":{"
                                          "\"x\":\"a.safetensors\",\"z\":\"b.safetensors\",\"y\":\"a.safetensors\"}}");
    am_tensor_table table = {0};
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 3);
    assert_int_equal(table.file_count, 2);
    assert_int_equal(value_of(&table, "x"), 0);
    assert_int_equal(value_of(&table, "y"), 1);
    assert_int_equal(value_of(&table, "z"), 0);
    am_tensor_table_deinit(&table);
}

static void formats_checkpoint__reads_shards_in_folders_below(void **state)
{
    const char *directory = sharded_model("{\"weight_map\":{\"q\":\"sub/c.safetensors\"}}");
    assert_int_equal(mkdir(am_test_format("%s/sub", directory), 0700), 0);
    write_shard_of(directory, "sub/c.safetensors", "q");
    am_tensor_table table = {0};
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 1);
    am_tensor_table_deinit(&table);
}

static void copy_recorded(const char *name, const char *directory, const char *as)
{
    size_t length;
    char *bytes = am_test_read_file(am_test_source_path(am_test_format("tests/unit/formats/data/%s", name)), &length);
    am_test_write_file(am_test_format("%s/%s", directory, as), bytes, length);
    free(bytes);
}

static void formats_checkpoint__reads_pytorch_files_and_shards(void **state)
{
    am_tensor_table table = {0};
    const char *directory = am_test_temporary_directory();
    copy_recorded("state_protocol2.bin", directory, "pytorch_model.bin");
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 2);
    am_tensor_table_deinit(&table);

    directory = am_test_temporary_directory();
    copy_recorded("state_protocol2.bin", directory, "1.bin");
    copy_recorded("all_dtypes.bin", directory, "2.bin");
    am_test_write_text(directory, "pytorch_model.bin.index.json",
                       "{\"weight_map\":{\"weight\":\"1.bin\",\"i32\":\"2.bin\",\"bias\":\"1.bin\"}}");
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 2 + 16);
    assert_int_equal(value_of(&table, "bias"), 0);
    am_tensor_table_deinit(&table);
}

static void formats_checkpoint__prefers_safetensors(void **state)
{
    am_tensor_table table = {0};
    const char *directory = sharded_model("{\"weight_map\":{\"x\":\"a.safetensors\"}}");
    copy_recorded("state_protocol2.bin", directory, "pytorch_model.bin");
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_non_null(am_tensor_table_find(&table, "x"));
    assert_null(am_tensor_table_find(&table, "weight"));
    am_tensor_table_deinit(&table);
    write_shard_of(directory, "model.safetensors", "whole");
    am_test_expect_ok(am_checkpoint_read(directory, &table));
    assert_int_equal(table.count, 1);
    assert_non_null(am_tensor_table_find(&table, "whole"));
    am_tensor_table_deinit(&table);
}

static void formats_checkpoint__says_what_it_looked_for(void **state)
{
    const char *directory = am_test_temporary_directory();
    expect_rejected_directory(directory, AM_NOT_FOUND,
                              "neither model.safetensors nor model.safetensors.index.json nor pytorch_model.bin nor "
                              "pytorch_model.bin.index.json");
    expect_rejected_directory(am_test_format("%s/none", directory), AM_NOT_FOUND, "/none: no weights");
}

static void formats_checkpoint__rejects_directories_in_place_of_files(void **state)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                        "pytorch_model.bin.index.json"};
    for (int i = 0; i < 4; i++) {
        const char *directory = am_test_temporary_directory();
        assert_int_equal(mkdir(am_test_format("%s/%s", directory, names[i]), 0700), 0);
        expect_rejected_directory(directory, AM_IO, am_test_format("%s: not a regular file", names[i]));
    }
    const char *directory = sharded_model("{\"weight_map\":{\"x\":\"sub\"}}");
    assert_int_equal(mkdir(am_test_format("%s/sub", directory), 0700), 0);
    expect_rejected_directory(directory, AM_IO, "sub: not a regular file");
}

static void formats_checkpoint__rejects_missing_shards(void **state)
{
    const char *index = "{\"weight_map\":{\"x\":\"a.safetensors\",\"q\":\"c.safetensors\"}}";
    const char *directory = sharded_model(index);
    expect_rejected_directory(directory, AM_NOT_FOUND, "shard of tensor q is missing");
    expect_rejected_directory(directory, AM_NOT_FOUND, "c.safetensors");
}

static void formats_checkpoint__rejects_tensors_missing_from_their_shard(void **state)
{
    expect_rejected("{\"weight_map\":{\"x\":\"a.safetensors\",\"q\":\"a.safetensors\"}}", "tensor q is not in ");
    expect_rejected("{\"weight_map\":{\"x\":\"a.safetensors\",\"z\":\"a.safetensors\"}}", "tensor z is not in ");
    expect_rejected("{\"weight_map\":{\"z\":\"b.safetensors\",\"x\":\"b.safetensors\"}}", "tensor x is not in ");
    expect_rejected("{\"weight_map\":{\"x\":\"a.safetensors\",\"z\":\"b.safetensors\",\"y\":\"b.safetensors\"}}",
                    "tensor y is not in ");
}

static void formats_checkpoint__rejects_a_name_in_two_shards(void **state)
{
    const char *directory = sharded_model("{\"weight_map\":{\"x\":\"a.safetensors\",\"q\":\"c.safetensors\"}}");
    write_shard_of(directory, "c.safetensors", "q", "x");
    expect_rejected_directory(directory, AM_INVALID_FILE, "c.safetensors: tensor x is there twice");
    expect_rejected("{\"weight_map\":{\"x\":\"a.safetensors\",\"z\":\"b.safetensors\",\"x\":\"b.safetensors\"}}",
                    "tensor x is not in ");
}

static void formats_checkpoint__rejects_an_index_that_is_no_index(void **state)
{
    expect_rejected("", "model.safetensors.index.json: not JSON");
    expect_rejected("weights: none", "model.safetensors.index.json: not JSON");
    expect_rejected("{\"weight_map\":", "not JSON");
    expect_rejected("[]", "weight_map must be an object with at least one member, found nothing");
    expect_rejected("{\"weight_map\":[]}", "found an array");
    expect_rejected("{\"weight_map\":{}}", "at least one member");
    expect_rejected("{\"weight_map\":{\"x\":3}}", "must be the name of a file in the same folder, found an integer");
    expect_rejected("{\"weight_map\":{\"x\\u0000\":\"a.safetensors\"}}", "zero byte");
}

static void formats_checkpoint__rejects_shards_outside_of_the_folder(void **state)
{
    static const char *const paths[] = {"../a.safetensors", "/etc/passwd", "", "sub/../../a", "..", "a/..",
                                        "a\\u0000b"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect_rejected(am_test_format("{\"weight_map\":{\"x\":\"%s\"}}", paths[i]),
                        "must be the name of a file in the same folder");
    expect_rejected_directory(sharded_model("{\"weight_map\":{\"x\":\"..a\"}}"), AM_NOT_FOUND,
                              "is missing"); /* a name like any */
}

static void formats_checkpoint__passes_on_what_is_wrong_with_a_shard(void **state)
{
    const char *directory = sharded_model("{\"weight_map\":{\"x\":\"a.safetensors\",\"z\":\"b.safetensors\"}}");
    am_test_write_text(directory, "b.safetensors", "short");
    expect_rejected_directory(directory, AM_INVALID_FILE, "b.safetensors: 5 bytes, too short for a safetensors file");
}

static void formats_checkpoint__explains_git_lfs_pointers(void **state)
{
    const char *directory = am_test_temporary_directory();
    const char *pointer = "version https://git-lfs.example/spec/v1\noid sha256:1234\nsize 438955\n";
    am_test_write_text(directory, "pytorch_model.bin", pointer);
    expect_rejected_directory(directory, AM_INVALID_FILE, "pytorch_model.bin: this is a git-lfs pointer");
    am_test_write_text(directory, "model.safetensors", pointer);
    expect_rejected_directory(directory, AM_INVALID_FILE, "model.safetensors: this is a git-lfs pointer");
}

static void formats_checkpoint__failed_allocations_lose_nothing(void **state)
{
    const char *directory = sharded_model("{\"weight_map\":{\"x\":\"a.safetensors\",\"z\":\"b.safetensors\"}}");
    int64_t n = 0;
    for (bool done = false; !done; n++) {
        am_tensor_table table = {0};
        am_memory_fail_after(n);
        am_status status = am_checkpoint_read(directory, &table);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_tensor_table_deinit(&table);
        assert_true(n <= 1000);
    }
    assert_in_range(n, 10, 1000);
}

#include "test_support.h"

#include "base/file.h"
#include "base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void base_file__maps_and_unmaps(void **state)
{
    am_mapped_file file;
    const char *path = am_test_write_text(am_test_temporary_directory(), "a.txt", "some text");
    am_test_expect_ok(am_file_map(path, &file));
    assert_int_equal(file.size_bytes, 9);
    assert_memory_equal(file.bytes, "some text", 9);
    am_file_unmap(&file);
    assert_null(file.bytes);
    assert_int_equal(file.size_bytes, 0);
    am_file_unmap(&file);
}

static void base_file__an_empty_file_has_no_bytes(void **state)
{
    am_mapped_file file;
    const char *path = am_test_write_text(am_test_temporary_directory(), "empty", "");
    am_test_expect_ok(am_file_map(path, &file));
    assert_null(file.bytes);
    assert_int_equal(file.size_bytes, 0);
    am_file_unmap(&file);
}

static void base_file__maps_regular_files_only(void **state)
{
    am_mapped_file file;
    const char *directory = am_test_temporary_directory();
    const char *fifo = am_test_format("%s/fifo", directory), *dangling = am_test_format("%s/dangling", directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    am_test_expect_error(am_file_map(directory, &file), AM_IO, "not a regular file");
    am_test_expect_error(am_file_map(fifo, &file), AM_IO, "not a regular file");
    am_test_expect_error(am_file_map("/dev/null", &file), AM_IO, "cannot read /dev/null: not a regular file");
    am_test_expect_error(am_file_map(dangling, &file), AM_NOT_FOUND, "dangling");
    am_test_expect_error(am_file_map(am_test_format("%s/none", directory), &file), AM_NOT_FOUND, "/none: No such file");
    am_test_expect_error(am_file_map("", &file), AM_NOT_FOUND, "cannot open");
    assert_null(file.bytes);
}

static void base_file__reads_whole_files_within_a_limit(void **state)
{
    char *bytes;
    size_t length;
    const char *path = am_test_write_text(am_test_temporary_directory(), "a.txt", "12345");
    am_test_expect_ok(am_file_read(path, 5, &bytes, &length));
    assert_int_equal(length, 5);
    assert_string_equal(bytes, "12345");
    am_free(bytes);
    am_test_expect_error(am_file_read(path, 4, &bytes, &length), AM_OUT_OF_MEMORY, "longer than 4 bytes");
    assert_null(bytes);
    am_test_expect_error(am_file_read("/dev/zero", 100000, &bytes, &length), AM_IO,
                         "cannot read /dev/zero: not a regular file");
    am_test_expect_error(am_file_read(am_test_temporary_directory(), 4, &bytes, &length), AM_IO, "cannot read");
    am_test_expect_error(am_file_read("/nonexistent", 4, &bytes, &length), AM_NOT_FOUND, "/nonexistent");
}

static void base_file__reads_standard_input(void **state)
{
    char *bytes;
    size_t length;
    const char *path = am_test_write_text(am_test_temporary_directory(), "a.txt", "typed");
    assert_non_null(freopen(path, "r", stdin));
    am_test_expect_ok(am_file_read("-", 100, &bytes, &length));
    assert_string_equal(bytes, "typed");
    am_free(bytes);
}

static void base_file__writes_whole_files(void **state)
{
    size_t length;
    const char *directory = am_test_temporary_directory(), *path = am_test_format("%s/out", directory);
    am_test_expect_ok(am_file_write(path, "first version", 13));
    am_test_expect_ok(am_file_write(path, "a\0b", 3));
    char *bytes = am_test_read_file(path, &length);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "a\0b", 3);
    free(bytes);
    am_test_expect_ok(am_file_write(path, NULL, 0));
    free(am_test_read_file(path, &length));
    assert_int_equal(length, 0);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
}

/* No temporary file may stay behind: the folder can then be removed. */
static void base_file__a_failed_write_leaves_nothing(void **state)
{
    const char *directory = am_test_temporary_directory(), *sub = am_test_format("%s/sub", directory);
    const char *path = am_test_format("%s/taken", sub);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    am_test_expect_error(am_file_write(path, "x", 1), AM_IO, "cannot create");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(sub), 0);
    am_test_expect_error(am_file_write(path, "x", 1), AM_NOT_FOUND, path);
    am_test_expect_error(am_file_write("/proc/x", "x", 1), AM_NOT_FOUND, "/proc/x");
}

/* What a full disk does, made by a limit on the size of files. */
static void base_file__a_write_that_does_not_fit_is_an_error(void **state)
{
    static char bytes[100000];
    const char *directory = am_test_temporary_directory(), *sub = am_test_format("%s/sub", directory);
    const char *path = am_test_format("%s/out", sub);
    struct rlimit before, small;
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    am_status status = am_file_write(path, bytes, sizeof bytes);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    am_test_expect_error(status, AM_IO, am_test_format("cannot write %s: File too large", path));
    assert_int_equal(rmdir(sub), 0); /* nothing was left in it */
}

static void base_file__tells_files_and_directories_apart(void **state)
{
    const char *directory = am_test_temporary_directory();
    const char *path = am_test_write_text(directory, "a.txt", "");
    assert_true(am_file_exists(path));
    assert_false(am_directory_exists(path));
    assert_true(am_file_exists(directory)); /* and opening it says why it cannot be read */
    assert_true(am_directory_exists(directory));
    assert_false(am_file_exists("/nonexistent"));
    assert_false(am_directory_exists("/nonexistent"));
}

static void base_file__paths(void **state)
{
    am_arena arena = {0};
    assert_string_equal(am_path_join(&arena, "a/b", "c"), "a/b/c");
    assert_string_equal(am_path_join(&arena, "a/b/", "c"), "a/b/c");
    assert_string_equal(am_path_join(&arena, "/", "c"), "/c");
    am_arena_deinit(&arena);
    assert_string_equal(am_path_base("a/b.c"), "b.c");
    assert_string_equal(am_path_base("b.c"), "b.c");
    assert_string_equal(am_path_base("a/"), "");
    assert_string_equal(am_path_extension("a.b/c.tar.gz"), ".gz");
    assert_string_equal(am_path_extension("a.b/c"), "");
    assert_string_equal(am_path_extension("c."), ".");
}

static void base_file__failed_allocations_lose_nothing(void **state)
{
    const char *path = am_test_format("%s/out", am_test_temporary_directory());
    int64_t n = 0;
    for (bool done = false; !done; n++) {
        char *bytes = NULL;
        size_t length;
        am_memory_fail_after(n);
        am_status status = am_file_write(path, "text", 4);
        if (!status) status = am_file_read(path, 100, &bytes, &length);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_free(bytes);
        assert_true(n <= 100);
    }
    assert_in_range(n, 2, 100);
}

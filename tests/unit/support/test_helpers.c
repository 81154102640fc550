/* The helpers of test_support.h themselves: a test that cannot fail would hide behind a broken one. */
#include "test_support.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void support_helpers__run_captures_output_and_exit_code(void **state)
{
    const char *const argv[] = {"sh", "-c", "cat; echo problem >&2; exit 7", NULL};
    am_test_result result = am_test_run(argv, "some input");
    assert_int_equal(result.exit_code, 7);
    assert_string_equal(result.out, "some input");
    assert_string_equal(result.err, "problem\n");
    assert_int_equal(result.out_length, 10);
    am_test_result_free(&result);
}

static void support_helpers__run_tells_a_signal(void **state)
{
    const char *const argv[] = {"sh", "-c", "kill -9 $$", NULL};
    am_test_result result = am_test_run(argv, NULL);
    assert_int_equal(result.exit_code, -9);
    am_test_result_free(&result);
}

static void support_helpers__run_of_a_missing_program(void **state)
{
    const char *const argv[] = {"/no/such/program", NULL};
    am_test_result result = am_test_run(argv, NULL);
    assert_int_equal(result.exit_code, 127);
    assert_non_null(strstr(result.err, "/no/such/program"));
    am_test_result_free(&result);
}

static void support_helpers__temporary_files_are_read_back(void **state)
{
    const char *directory = am_test_temporary_directory();
    const char *path = am_test_write_text(directory, "a.txt", "text");
    size_t length = 0;
    char *text = am_test_read_file(path, &length);
    assert_int_equal(length, 4);
    assert_string_equal(text, "text");
    free(text);
}

static void support_helpers__source_path_finds_the_project(void **state)
{
    struct stat info;
    assert_int_equal(stat(am_test_source_path("tests/unit/test_support.h"), &info), 0);
}

static void support_helpers__expected_error_and_success(void **state)
{
    am_test_expect_error(am_error(AM_NOT_FOUND, "no file %s", "x"), AM_NOT_FOUND, "file x");
    am_test_expect_ok(NULL);
}

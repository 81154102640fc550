/* What tests share. A test file includes this, and holds functions `static void <module>__<what_holds>(void
   **state)`; the build finds them (cmake/tests.cmake). Needs a machine that may skip: skip() after saying why
   with print_message. */
#ifndef AM_TEST_SUPPORT_H
#define AM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <anymodel/status.h>

/* Fails the test unless `status` has this code and its message holds `part` (may be ""). Frees it. */
#define am_test_expect_error(status, code, part) am_test_expect_error_at((status), (code), (part), __FILE__, __LINE__)
void am_test_expect_error_at(am_status status, am_code code, const char *part, const char *file, int line);

/* Fails the test, showing the message, unless `status` is success. */
#define am_test_expect_ok(status) am_test_expect_ok_at((status), __FILE__, __LINE__)
void am_test_expect_ok_at(am_status status, const char *file, int line);

/* A new empty folder, removed with all in it when the program ends. Valid until then. */
const char *am_test_temporary_directory(void);

/* Skips the test where less than a tenth of the disk is free: nothing is kept there then
 * (src/targets/cpu/weight_cache.h). */
void am_test_skip_on_full_disk(void);

/* printf into one of 16 buffers used in turn: for paths and short texts. Fails the test beyond 4095 bytes. */
const char *am_test_format(const char *format, ...) AM_PRINTF(1, 2);

/* Full path of a file of the project ("tests/golden/data"), in a buffer of am_test_format. */
const char *am_test_source_path(const char *path);

/* Writes a file; fails the test when that fails. */
void am_test_write_file(const char *path, const void *bytes, size_t length);

/* Writes "DIRECTORY/name" and gives its path in a buffer of am_test_format. */
const char *am_test_write_text(const char *directory, const char *name, const char *text);

/* The whole file with a zero byte after it; fails the test when there is none. *length may be null. Freed
 * with free. */
char *am_test_read_file(const char *path, size_t *length);

/* What a program that ran left behind. */
typedef struct am_test_result {
    int exit_code;   /* -N when signal N ended it */
    char *out, *err; /* stdout and stderr, each with a zero byte after it */
    size_t out_length, err_length;
} am_test_result;

/* Runs argv[0] (a path, or a name found in PATH) with `input` (may be null) as stdin, at most two minutes; with
   ANYMODEL_TEST_SLOW at most 25. */
am_test_result am_test_run(const char *const argv[], const char *input);
void am_test_result_free(am_test_result *result);

/* The built command line program, and a run of it: am_test_anymodel(input, "inspect", path). */
const char *am_test_program(void);
#define am_test_anymodel(input, ...) am_test_run((const char *const[]){am_test_program(), __VA_ARGS__, NULL}, (input))

/* For the generated mains. */
typedef struct am_test_file {
    const char *path;
    const struct CMUnitTest *tests;
    size_t count;
} am_test_file;

/* Those of this program, ending with null; made by the build. */
extern const am_test_file *const am_test_files[];

/* Runs the tests whose name matches one of the arguments (shell patterns), or all. 0 only when at least one
   ran and none failed. */
int am_test_main(int argc, char **argv, const am_test_file *const files[]);

#endif

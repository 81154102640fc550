#include "test_support.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <string.h>

static void base_status__null_is_success(void **state)
{
    assert_int_equal(am_status_code(NULL), AM_OK);
    assert_string_equal(am_status_message(NULL), "");
    am_status_free(NULL);
    assert_null(am_note(NULL, "note"));
}

static void base_status__carries_code_and_message(void **state)
{
    am_status status = am_error(AM_UNSUPPORTED, "class %s, layer %d", "FooModel", 3);
    assert_int_equal(am_status_code(status), AM_UNSUPPORTED);
    assert_string_equal(am_status_message(status), "class FooModel, layer 3");
    status = am_note(status, "%s", "config.json");
    assert_int_equal(am_status_code(status), AM_UNSUPPORTED);
    assert_string_equal(am_status_message(status), "config.json: class FooModel, layer 3");
    am_status_free(status);
}

static void base_status__messages_may_be_long(void **state)
{
    enum { LENGTH = 100000 };
    am_status status = am_error(AM_FAILED, "%*d", LENGTH, 7);
    assert_int_equal(strlen(am_status_message(status)), LENGTH);
    status = am_note(status, "%*d", 2000, 8); /* notes are cut at 511 bytes */
    assert_int_equal(strlen(am_status_message(status)), LENGTH + 2 + 511);
    am_status_free(status);
}

static void base_status__every_code_has_a_text(void **state)
{
#define ROW(id, number, text, meaning)                                                                                 \
    assert_int_equal(id, number);                                                                                      \
    assert_string_equal(am_code_text(id), text);
    AM_STATUS_CODES(ROW)
#undef ROW
    assert_string_equal(am_code_text((am_code)99), "unknown error");
}

static void base_status__errno_becomes_a_code(void **state)
{
    errno = ENOENT;
    am_test_expect_error(am_error_from_errno("open", "a/b"), AM_NOT_FOUND, "cannot open a/b: No such file");
    errno = ENOTDIR;
    am_test_expect_error(am_error_from_errno("open", "a/b"), AM_NOT_FOUND, "cannot open a/b: ");
    errno = EACCES;
    am_test_expect_error(am_error_from_errno("read", "x"), AM_IO, "cannot read x: Permission denied");
    errno = ENOMEM;
    am_test_expect_error(am_error_from_errno("map", "x"), AM_OUT_OF_MEMORY, "cannot map x");
}

/* Where even the message cannot be allocated. */
static void base_status__out_of_memory_needs_no_memory(void **state)
{
    am_memory_fail_after(0);
    am_status status = am_error(AM_FAILED, "x");
    am_memory_fail_after(-1);
    am_test_expect_error(status, AM_OUT_OF_MEMORY, "out of memory");
    status = am_error(AM_FAILED, "x");
    am_memory_fail_after(0);
    status = am_note(status, "note");
    am_memory_fail_after(-1);
    am_test_expect_error(status, AM_OUT_OF_MEMORY, "out of memory");
    am_test_expect_error(am_out_of_memory(), AM_OUT_OF_MEMORY, "out of memory");
}

static am_status three_steps(int fail_at, int *done)
{
    for (*done = 0; *done < 3; ++*done) AM_TRY(*done == fail_at ? am_error(AM_FAILED, "step %d", fail_at) : NULL);
    return NULL;
}

static void base_status__try_passes_errors_on(void **state)
{
    int done;
    am_test_expect_ok(three_steps(-1, &done));
    assert_int_equal(done, 3);
    am_test_expect_error(three_steps(1, &done), AM_FAILED, "step 1");
    assert_int_equal(done, 1);
}

#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <string.h>

static void base_buffer__appends(void **state)
{
    am_buffer buffer = {0};
    assert_string_equal(am_buffer_text(&buffer), "");
    am_buffer_append(&buffer, "abcd", 3);
    am_buffer_append_char(&buffer, '-');
    am_buffer_append_string(&buffer, "xyz");
    am_buffer_printf(&buffer, "%s %03d", "!", 7);
    assert_string_equal(am_buffer_text(&buffer), "abc-xyz! 007");
    assert_int_equal(buffer.length, 12);
    am_test_expect_ok(am_buffer_status(&buffer));
    am_buffer_clear(&buffer);
    assert_string_equal(am_buffer_text(&buffer), "");
    assert_int_equal(buffer.length, 0);
    am_buffer_append(&buffer, "a\0b", 3);
    assert_int_equal(buffer.length, 3);
    assert_memory_equal(buffer.bytes, "a\0b", 4);
    am_buffer_deinit(&buffer);
    assert_null(buffer.bytes);
}

static void base_buffer__grows(void **state)
{
    am_buffer buffer = {0};
    for (int i = 0; i < 20000; i++) am_buffer_printf(&buffer, "%05d", i);
    assert_int_equal(buffer.length, 100000);
    assert_memory_equal(buffer.bytes + 5 * 12345, "12345", 5);
    am_buffer_deinit(&buffer);
}

static void base_buffer__stops_at_its_limit(void **state)
{
    am_buffer buffer = {.limit_bytes = 5};
    am_buffer_append_string(&buffer, "12345");
    am_test_expect_ok(am_buffer_status(&buffer));
    am_buffer_append_char(&buffer, '6');
    assert_true(buffer.failed);
    assert_string_equal(am_buffer_text(&buffer), "12345");
    am_test_expect_error(am_buffer_status(&buffer), AM_OUT_OF_MEMORY, "longer than 5 bytes");
    assert_null(am_buffer_take(&buffer));
    am_buffer_deinit(&buffer);
}

static void base_buffer__a_failed_buffer_stays_so_until_cleared(void **state)
{
    am_buffer buffer = {0};
    am_buffer_append_string(&buffer, "kept");
    am_memory_fail_after(0);
    am_buffer_printf(&buffer, "%*d", 1000, 1);
    am_memory_fail_after(-1);
    am_buffer_append_string(&buffer, "not");
    assert_string_equal(am_buffer_text(&buffer), "kept");
    am_test_expect_error(am_buffer_status(&buffer), AM_OUT_OF_MEMORY, "out of memory");
    am_buffer_clear(&buffer);
    am_buffer_append_string(&buffer, "again");
    assert_string_equal(am_buffer_text(&buffer), "again");
    am_buffer_deinit(&buffer);
}

static void base_buffer__refuses_absurd_lengths(void **state)
{
    am_buffer buffer = {0};
    am_buffer_append(&buffer, "", SIZE_MAX);
    assert_true(buffer.failed);
    am_buffer_deinit(&buffer);
    am_buffer_append_char(&buffer, 'x');
    am_buffer_append(&buffer, "", SIZE_MAX);
    assert_true(buffer.failed);
    am_buffer_deinit(&buffer);
}

static void base_buffer__gives_its_bytes_away(void **state)
{
    am_buffer buffer = {0};
    char *bytes = am_buffer_take(&buffer);
    assert_string_equal(bytes, "");
    am_free(bytes);
    am_buffer_append_string(&buffer, "text");
    bytes = am_buffer_take(&buffer);
    assert_string_equal(bytes, "text");
    assert_int_equal(buffer.length, 0);
    assert_null(buffer.bytes);
    am_free(bytes);
}

static void expect_json_string(const char *text, size_t length, const char *expected)
{
    am_buffer buffer = {0};
    am_buffer_append_json_string(&buffer, text, length);
    assert_string_equal(am_buffer_text(&buffer), expected);
    am_buffer_deinit(&buffer);
}

static void base_buffer__writes_json_strings(void **state)
{
    expect_json_string("", 0, "\"\"");
    expect_json_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    expect_json_string("\n\r\t\b\x1f\x7f", 6, "\"\\n\\r\\t\\u0008\\u001f\\u007f\"");
    expect_json_string("a\0b", 3, "\"a\\u0000b\"");
    expect_json_string("\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\"");
    expect_json_string("\xff\xe2\x82", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Patterns of tokenizer.json: what is refused, and that what matches is bounded. Which texts they match is
   recorded (data/tokenizers/synthetic/units). */
#include "test_support.h"

#include "base/buffer.h"
#include "text/tokenizer.h"

#include <string.h>

static am_status open_pattern(const char *pattern, am_tokenizer **out)
{
    am_buffer json = {0};
    am_buffer_append_string(&json, "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0},\"unk_token\":"
                                   "\"u\"},\"pre_tokenizer\":{\"type\":\"Split\","
                                   "\"pattern\":{\"Regex\":");
    am_buffer_append_json_string(&json, pattern, strlen(pattern));
    am_buffer_append_string(&json, "},\"behavior\":\"Removed\",\"invert\":true}}");
    am_status status = am_tokenizer_parse(am_buffer_text(&json), json.length, "test", out);
    am_buffer_deinit(&json);
    return status;
}

static void expect_error(const char *pattern, am_code code, const char *part)
{
    am_tokenizer *t;
    am_test_expect_error(open_pattern(pattern, &t), code, part);
    assert_null(t);
}

/* Number of matches in a text. */
static size_t count_matches(const char *pattern, const char *text)
{
    am_tokenizer *t;
    am_encoding e;
    am_test_expect_ok(open_pattern(pattern, &t));
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){text, strlen(text)}, NULL, NULL, &e));
    size_t count = e.count;
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
    return count;
}

static void text_tokenizer_regex__refuses_malformed_patterns(void **state)
{
    static const char *const patterns[] = {
        "(",   ")",    "[a", "a\\",  "\\p",    "\\p{L",  "\\p{}",     "\\p{Nonsense}", "[b-a]",
        "(?#", "\\x{", "*a", "a{3,", "(?<n>a", "\\k<n>", "\\g<none>", "(?<=a*)b",      "\\u00"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        am_tokenizer *t;
        am_status status = open_pattern(patterns[i], &t);
        if (status) assert_int_equal(am_status_code(status), AM_INVALID_FILE);
        else assert_string_equal(patterns[i], "a{3,"); /* Oniguruma takes it as text */
        am_status_free(status);
        am_tokenizer_close(t);
    }
    expect_error("a(b", AM_INVALID_FILE, "regular expression \"a(b\": ( without )");
}

static void text_tokenizer_regex__names_what_is_not_supported(void **state)
{
    expect_error("(?~a)", AM_UNSUPPORTED, "absent operator");
    expect_error("[\\R]", AM_UNSUPPORTED, "\\R or \\X in brackets");
    expect_error("\\y", AM_UNSUPPORTED, "escape");
    char nested[4001];
    memset(nested, '(', 2000);
    memset(nested + 2000, ')', 2000);
    nested[4000] = 0;
    expect_error(nested, AM_UNSUPPORTED, "nested too deep");
}

static void text_tokenizer_regex__matches_in_bounds(void **state)
{
    assert_int_equal(count_matches("a+", "aa b a"), 2);
    assert_int_equal(count_matches("(?i)É", "é É e"), 2);
    assert_int_equal(count_matches("\\p{Han}|\\p{Hiragana}", "日本のa"), 3);
    assert_int_equal(count_matches("^a", "a\na"), 2);
    assert_int_equal(count_matches("\\h+", "12 ff g"), 2);
    assert_int_equal(count_matches("a*", ""), 0);
}

/* Recursion that never ends, or only after all of it was tried, is an error and no endless loop or overflow.
 */
static void text_tokenizer_regex__bounds_recursion_and_backtracking(void **state)
{
    static const char *const patterns[] = {"(a|b|ab)*c",       "(?<r>a\\g<r>?a)$", "(a+)+(b+)+$x",
                                           "(?:a?){40}a{40}$", "((a*)*)*b",        "(?<r>\\g<r>)"};
    char text[5000];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        am_tokenizer *t;
        am_encoding e = {0};
        am_status status = open_pattern(patterns[i], &t);
        if (!status) status = am_tokenizer_encode(t, (am_text){text, sizeof text}, NULL, NULL, &e);
        if (status) assert_true(am_status_code(status) == AM_OUT_OF_RANGE || am_status_code(status) == AM_INVALID_FILE);
        am_status_free(status);
        am_encoding_deinit(&e);
        am_tokenizer_close(t);
    }
}

/* Patterns of tokenizer.json: what is refused, and that what matches is bounded. Which texts they match is
   recorded (data/tokenizers/synthetic/units). */
#include "test_support.h"

#include "base/buffer.h"
#include "base/json.h"
#include "text/tokenizer.h"

#include <string.h>

/* `more`: what follows the pattern in its pre-tokenizer, and its end. */
static am_status open_pattern_as(const char *pattern, const char *more, am_tokenizer **out)
{
    am_buffer json = {0};
    am_buffer_append_string(&json, "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0},\"unk_token\":"
                                   "\"u\"},\"pre_tokenizer\":{\"type\":\"Split\","
                                   "\"pattern\":{\"Regex\":");
    am_buffer_append_json_string(&json, pattern, strlen(pattern));
    am_buffer_append_string(&json, "},\"behavior\":\"Removed\",\"invert\":");
    am_buffer_append_string(&json, more);
    am_buffer_append_string(&json, "}");
    am_status status = am_tokenizer_parse(am_buffer_text(&json), json.length, "test", out);
    am_buffer_deinit(&json);
    return status;
}

static am_status open_pattern(const char *pattern, am_tokenizer **out)
{
    return open_pattern_as(pattern, "true}", out);
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

/* The parts of a text that stay, as the library has it: first and last characters. */
static void expect_parts(const char *pattern, const char *more, am_json_string text, am_json left)
{
    am_tokenizer *t;
    am_encoding e;
    size_t i = 0;
    am_test_expect_ok(open_pattern_as(pattern, more, &t));
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){text.bytes, text.length}, NULL, NULL, &e));
    for (am_json_iterator place = am_json_iterate(left); am_json_next(&place); i++) {
        uint32_t found = UINT32_MAX;
        if (i / 2 < e.count) found = i % 2 ? e.offsets[i / 2].end : e.offsets[i / 2].start;
        if (found != (uint32_t)am_json_int(place.value, -1))
            fail_msg("%s: place %zu: expected %d, found %u", pattern, i, (int)am_json_int(place.value, -1), found);
    }
    if (e.count * 2 != i) fail_msg("%s: %zu parts are left, expected %zu", pattern, e.count, i / 2);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

static void text_tokenizer_regex__sets_are_those_of_the_library(void **state)
{
    am_json_document *recorded;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/text/data/regex_sets.json"), &recorded));
    am_json_string text = am_json_text(am_json_get(am_json_root(recorded), "text"));
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(recorded), "cases")); am_json_next(&i); count++)
        expect_parts(am_test_format("(?:%s)+", am_json_text(am_json_get(i.value, "pattern")).bytes), "false}", text,
                     am_json_get(i.value, "left"));
    assert_true(count > 300);
    am_json graphemes = am_json_get(am_json_root(recorded), "graphemes");
    expect_parts("\\X", "true}", am_json_text(am_json_get(graphemes, "text")), am_json_get(graphemes, "parts"));
    am_json_close(recorded);
}

#include "test_support.h"

#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static am_json_document *parse(const char *text)
{
    am_json_document *document;
    am_test_expect_ok(am_json_parse(text, strlen(text), "text", &document));
    return document;
}

static void expect_rejected_bytes(const char *text, size_t length, const char *part)
{
    am_json_document *document;
    am_status status = am_json_parse(text, length, "folder/x.json", &document);
    if (status) assert_non_null(strstr(am_status_message(status), "folder/x.json: "));
    am_test_expect_error(status, AM_INVALID_FILE, part);
    assert_null(document);
}

static void expect_rejected(const char *text, const char *part)
{
    expect_rejected_bytes(text, strlen(text), part);
}

static void base_json__tells_kinds(void **state)
{
    static const struct {
        const char *text;
        am_json_kind kind;
    } cases[] = {
        {"null", AM_JSON_NULL},
        {"true", AM_JSON_BOOL},
        {"false", AM_JSON_BOOL},
        {"0", AM_JSON_INTEGER},
        {"-9223372036854775808", AM_JSON_INTEGER},
        {"9223372036854775807", AM_JSON_INTEGER},
        {"9223372036854775808", AM_JSON_REAL},
        {"18446744073709551616", AM_JSON_REAL},
        {"1.0", AM_JSON_REAL},
        {"1e3", AM_JSON_REAL},
        {"\"\"", AM_JSON_STRING},
        {"[]", AM_JSON_ARRAY},
        {"{}", AM_JSON_OBJECT},
        {" \t\r\n[ ] ", AM_JSON_ARRAY},
        {"\xef\xbb\xbf{}", AM_JSON_OBJECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_json_document *document = parse(cases[i].text);
        assert_int_equal(am_json_kind_of(am_json_root(document)), cases[i].kind);
        am_json_close(document);
    }
    assert_int_equal(am_json_kind_of((am_json){0}), AM_JSON_MISSING);
    assert_string_equal(am_json_kind_name(AM_JSON_MISSING), "nothing");
    assert_string_equal(am_json_kind_name(AM_JSON_OBJECT), "an object");
    am_json_close(NULL);
}

static void expect_number(const char *text, double real, int64_t integer)
{
    am_json_document *document = parse(text);
    am_json value = am_json_root(document);
    double found = am_json_real(value, 12345);
    if (!(found == real || (isnan(found) && isnan(real)))) fail_msg("%s is %.17g, expected %.17g", text, found, real);
    assert_int_equal(am_json_int(value, -77), integer);
    am_json_close(document);
}

static void base_json__reads_numbers(void **state)
{
    expect_number("0", 0, 0);
    expect_number("-0.0", 0, 0);
    expect_number("-12", -12, -12);
    expect_number("3.0", 3, 3);
    expect_number("1e3", 1000, 1000);
    expect_number("3.5", 3.5, -77);
    expect_number("0.1", 0.1, -77);
    expect_number("1e-5", 1e-5, -77);
    expect_number("2.2250738585072014e-308", 2.2250738585072014e-308, -77);
    expect_number("1e-400", 0, 0);
    expect_number("9007199254740993", 9007199254740992.0, INT64_C(9007199254740993));
    expect_number("9223372036854775807", 0x1p63, INT64_MAX);
    expect_number("-9223372036854775808", -0x1p63, INT64_MIN);
    expect_number("18446744073709551615", 0x1p64, -77);
}

/* transformers writes int(1e30) as the length limit of tokenizers that have none. */
static void base_json__reads_integers_of_any_length(void **state)
{
    expect_number("1000000000000000019884624838656", 1e30, -77);
    expect_number("-1000000000000000019884624838656", -1e30, -77);
    expect_number("18446744073709551616", 0x1p64, -77);
    am_json_document *document =
        parse("{\"text\":\"100000000000000000000000\",\"a\":[100000000000000000000000 , 1],\"n\":7}");
    am_json root = am_json_root(document);
    assert_true(am_json_equals(am_json_get(root, "text"), "100000000000000000000000"));
    assert_int_equal(am_json_count(am_json_get(root, "a")), 2);
    assert_int_equal(am_json_int(am_json_get(root, "n"), 0), 7);
    am_json_close(document);
    char digits[401];
    memset(digits, '1', 400);
    digits[400] = 0;
    expect_number(digits, INFINITY, -77);
}

static void base_json__reads_bare_infinity_and_nan(void **state)
{
    expect_number("Infinity", INFINITY, -77);
    expect_number("-Infinity", -INFINITY, -77);
    expect_number("NaN", NAN, -77);
    expect_number("1e400", INFINITY, -77);
    expect_number("-1e400", -INFINITY, -77);
    am_json_document *document =
        parse("{\"a\":[NaN,-Infinity,1.5],\"text\":\"a \\\" NaN\",\"NaN\":\"NaN\",\"b\":{\"c\":Infinity}}");
    am_json root = am_json_root(document);
    assert_true(isnan(am_json_real(am_json_get_path(root, "a"), NAN)));
    assert_int_equal(am_json_count(am_json_get(root, "a")), 3);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "b.c")), AM_JSON_REAL);
    assert_true(am_json_real(am_json_get_path(root, "b.c"), 0) == INFINITY);
    assert_true(am_json_equals(am_json_get(root, "text"), "a \" NaN"));
    assert_int_equal(am_json_kind_of(am_json_get(root, "NaN")), AM_JSON_STRING);
    assert_true(am_json_equals(am_json_get(root, "NaN"), "NaN")); /* in quotes it is a string */
    assert_int_equal(am_json_text(am_json_get_path(root, "b.c")).length, 0);
    am_json_close(document);
    expect_rejected("{NaN:1}", "not JSON");
    expect_rejected("{\"a\":Infinityy}", "not JSON");
    expect_rejected("--Infinity", "not JSON");
    expect_rejected("[nan]", "not JSON");
}

static void base_json__getters_give_fallbacks(void **state)
{
    am_json_document *document = parse("{\"s\":\"x\",\"n\":1,\"b\":true,\"z\":null}");
    am_json root = am_json_root(document), none = am_json_get(root, "none");
    assert_int_equal(am_json_kind_of(none), AM_JSON_MISSING);
    assert_int_equal(am_json_int(none, 5), 5);
    assert_int_equal(am_json_int(am_json_get(root, "s"), 5), 5);
    assert_int_equal(am_json_int(am_json_get(root, "b"), 5), 5);
    assert_int_equal(am_json_int(am_json_get(root, "z"), 5), 5);
    assert_true(am_json_real(am_json_get(root, "s"), 0.5) == 0.5);
    assert_true(am_json_bool(am_json_get(root, "n"), true));
    assert_true(am_json_bool(am_json_get(root, "b"), false));
    assert_false(am_json_bool(none, false));
    assert_string_equal(am_json_text(am_json_get(root, "n")).bytes, "");
    assert_false(am_json_equals(none, ""));
    assert_false(am_json_equals(am_json_get(root, "s"), "xy"));
    assert_true(am_json_equals(am_json_get(root, "s"), "x"));
    assert_int_equal(am_json_kind_of(am_json_get(am_json_get(root, "n"), "s")), AM_JSON_MISSING);
    assert_int_equal(am_json_kind_of(am_json_get(none, "s")), AM_JSON_MISSING);
    assert_int_equal(am_json_count(none), 0);
    assert_int_equal(am_json_count(am_json_get(root, "s")), 0);
    am_json_close(document);
}

static void base_json__paths_go_through_objects(void **state)
{
    am_json_document *document = parse("{\"a\":{\"b\":{\"c\":3}},\"a.b\":4,\"l\":[{\"c\":1}]}");
    am_json root = am_json_root(document);
    assert_int_equal(am_json_int(am_json_get_path(root, "a.b.c"), 0), 3);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "a.b")), AM_JSON_OBJECT);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "a.x.c")), AM_JSON_MISSING);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "a.b.c.d")), AM_JSON_MISSING);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "l.c")), AM_JSON_MISSING);
    assert_int_equal(am_json_kind_of(am_json_get_path(root, "")), AM_JSON_MISSING);
    assert_int_equal(am_json_int(am_json_get(root, "a.b"), 0), 4);
    am_json_close(document);
}

static void base_json__the_last_of_equal_keys_counts(void **state)
{
    am_json_document *document = parse("{\"a\":1,\"b\":2,\"a\":{\"a\":5},\"aa\":3}");
    am_json root = am_json_root(document);
    assert_int_equal(am_json_int(am_json_get_path(root, "a.a"), 0), 5);
    assert_int_equal(am_json_count(root), 4);
    am_json_close(document);
}

static void base_json__strings_may_hold_anything(void **state)
{
    am_json_document *document =
        parse("{\"a\\u0000b\":\"x\\u0000y\",\"a\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\\b\"}");
    am_json root = am_json_root(document);
    assert_string_equal(am_json_text(am_json_get(root, "a")).bytes, "\xc3\xa9\xf0\x9f\x98\x80\n\"\\/\b");
    am_json_iterator i = am_json_iterate(root);
    assert_true(am_json_next(&i));
    assert_int_equal(i.key.length, 3);
    assert_memory_equal(i.key.bytes, "a\0b", 4);
    assert_int_equal(am_json_text(i.value).length, 3);
    assert_memory_equal(am_json_text(i.value).bytes, "x\0y", 4);
    assert_false(am_json_equals(i.value, "x"));
    am_json_close(document);
    am_json_document *bare = parse("[\"\\u0000NaN2\",\"\\u0000\",NaN]"); /* beside bare words too */
    am_json_iterator k = am_json_iterate(am_json_root(bare));
    assert_true(am_json_next(&k));
    assert_int_equal(am_json_text(k.value).length, 5);
    assert_true(am_json_next(&k));
    assert_int_equal(am_json_text(k.value).length, 1);
    assert_true(am_json_next(&k));
    assert_int_equal(am_json_kind_of(k.value), AM_JSON_REAL);
    am_json_close(bare);
}

static void base_json__gives_arrays_of_strings_at_once(void **state)
{
    am_json_document *document = parse("[[\"a\",\"b\\n\"],[\"a\"],[\"a\",\"b\",\"c\"],[\"a\",1],[[\"a\"],\"b\"],\"ab\","
                                       "{\"a\":\"b\"},[\"a\",NaN]]");
    am_json_string parts[2] = {{NULL, 0}, {NULL, 0}};
    size_t index = 0;
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); am_json_next(&i); index++) {
        assert_int_equal(am_json_strings(i.value, parts, 2), index == 0);
        assert_string_equal(parts[0].bytes, "a"); /* of the first, and not written again */
        assert_string_equal(parts[1].bytes, "b\n");
        assert_int_equal(parts[1].length, 2);
    }
    assert_int_equal(index, 8);
    assert_false(am_json_strings((am_json){0}, parts, 2));
    am_json_close(document);
}

static void base_json__iterates_in_order(void **state)
{
    am_json_document *document = parse("{\"k\":[1,[2,3],{\"x\":[]},\"s\",-4.5,null,18446744073709551615],"
                                       "\"e\":[],\"m\":{\"z\":1,\"a\":{},\"z\":2}}");
    static const am_json_kind kinds[] = {AM_JSON_INTEGER, AM_JSON_ARRAY, AM_JSON_OBJECT, AM_JSON_STRING,
                                         AM_JSON_REAL,    AM_JSON_NULL,  AM_JSON_REAL};
    am_json root = am_json_root(document);
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "k")); am_json_next(&i); count++)
        assert_int_equal(am_json_kind_of(i.value), kinds[count]);
    assert_int_equal(count, 7);
    assert_int_equal(am_json_count(am_json_get(root, "k")), 7);
    static const char *const keys[] = {"z", "a", "z"};
    count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "m")); am_json_next(&i); count++)
        assert_string_equal(i.key.bytes, keys[count]);
    assert_int_equal(count, 3);
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "e")); am_json_next(&i);) fail();
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "none")); am_json_next(&i);) fail();
    for (am_json_iterator i = am_json_iterate(am_json_get_path(root, "m.z")); am_json_next(&i);) fail();
    am_json_close(document);
}

/* Containers of more than 2^24 - 1 elements do not fit the count that simdjson keeps. */
static void base_json__counts_beyond_2_to_the_24(void **state)
{
    enum { COUNT = (1 << 24) + 3 };
    char *text = malloc(2 * COUNT + 1);
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < COUNT; i++) memcpy(text + 1 + 2 * i, "1,", 2);
    text[2 * COUNT] = ']';
    am_json_document *document;
    am_test_expect_ok(am_json_parse(text, 2 * COUNT + 1, "text", &document));
    free(text);
    assert_int_equal(am_json_count(am_json_root(document)), COUNT);
    am_json_close(document);
}

static void base_json__rejects_what_is_no_json(void **state)
{
    static const char *const texts[] = {
        "{",
        "[",
        "[1",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "\"a",
        "tru",
        "nul",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "0x10",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\n\"",
        "[1 2]",
        "1 2",
        "{} {}",
        "[}",
        "]",
        "// x\n1",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"a\xe2\x82\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_rejected(texts[i], "not JSON: ");
    expect_rejected("", "the text is empty");
    expect_rejected("\xef\xbb\xbf", "the text is empty");
    expect_rejected("  \n", "not JSON");
    expect_rejected_bytes("{}\0", 3, "not JSON");
    expect_rejected_bytes("\0", 1, "not JSON");
    expect_rejected_bytes("\"a\0b\"", 5, "not JSON");
}

static void expect_depth(size_t depth, bool fits)
{
    char *text = malloc(2 * depth);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    am_json_document *document = NULL;
    am_status status = am_json_parse(text, 2 * depth, "deep.json", &document);
    free(text);
    if (fits) am_test_expect_ok(status);
    else am_test_expect_error(status, AM_INVALID_FILE, "deep.json: JSON nested more than 512 levels deep");
    am_json_close(document);
}

static void base_json__limits_depth(void **state)
{
    expect_depth(500, true);
    expect_depth(520, false);
    expect_depth(10000, false);
    expect_depth(1000000, false);
    char *text = malloc(100000); /* the same behind a bare word, where the text is parsed twice */
    assert_non_null(text);
    memcpy(text, "[NaN,", 5);
    memset(text + 5, '[', 100000 - 5);
    expect_rejected_bytes(text, 100000, "");
    free(text);
}

/* Nothing is read beyond the text, wherever it ends. */
static void base_json__reads_no_byte_too_many(void **state)
{
    static const char text[] = "{\"a\":[1,2.5,\"\\u00e9x\",true,NaN],\"b\":{\"c\":null},\"d\":100000000000000000000}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *exact = malloc(length + (length == 0));
        assert_non_null(exact);
        memcpy(exact, text, length);
        expect_rejected_bytes(exact, length, "not JSON");
        free(exact);
    }
}

static void base_json__opens_files(void **state)
{
    am_json_document *document;
    const char *directory = am_test_temporary_directory();
    am_test_expect_ok(am_json_open(am_test_write_text(directory, "a.json", "{\"a\":1}"), &document));
    assert_int_equal(am_json_int(am_json_get(am_json_root(document), "a"), 0), 1);
    am_json_close(document);
    am_test_expect_error(am_json_open(am_test_write_text(directory, "b.json", ""), &document), AM_INVALID_FILE,
                         "b.json: not JSON");
    am_test_expect_error(am_json_open(am_test_write_text(directory, "c.json", "}"), &document), AM_INVALID_FILE,
                         "c.json: not JSON");
    am_test_expect_error(am_json_open(directory, &document), AM_IO, "not a regular file");
    am_test_expect_error(am_json_open("/nonexistent.json", &document), AM_NOT_FOUND, "/nonexistent.json");
    assert_null(document);
}

/* A sparse file: it takes no room on the disk. */
static void base_json__limits_the_size_of_files(void **state)
{
    am_json_document *document;
    const char *path = am_test_write_text(am_test_temporary_directory(), "large.json", "{}");
    assert_int_equal(truncate(path, (1 << 30) + 1), 0);
    am_test_expect_error(am_json_open(path, &document), AM_INVALID_FILE,
                         "large.json: 1073741825 bytes of JSON, more than the limit of 1 GiB");
    assert_null(document);
}

static void base_json__failed_allocations_lose_nothing(void **state)
{
    const char *text = "{\"a\":[1,NaN,\"x\"],\"b\":1000000000000000000000}";
    int64_t n = 0;
    for (bool done = false; !done; n++) {
        am_json_document *document;
        am_memory_fail_after(n);
        am_status status = am_json_parse(text, strlen(text), "text", &document);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_json_close(document);
        assert_true(n <= 100);
    }
    assert_in_range(n, 3, 100);
}

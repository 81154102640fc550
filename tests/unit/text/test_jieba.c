/* Words of jieba: the cuts that tools/record/record_jieba.py recorded, dictionaries that lie, where one is looked for.
 */
#include "base/json.h"
#include "text/tokenizer/jieba.h"

#include "test_support.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DATA "tests/unit/text/data/jieba"

static am_text text_of(const char *bytes)
{
    return (am_text){bytes, strlen(bytes)};
}

/* The words with "|" behind each. */
static am_status cut_words(const am_jieba *jieba, am_text text, am_buffer *out)
{
    am_jieba_cut cut = am_jieba_begin(jieba, text);
    am_text word;
    am_status status = am_jieba_next(&cut, &word);
    for (; !status && word.length; status = am_jieba_next(&cut, &word)) {
        am_buffer_append(out, word.bytes, word.length);
        am_buffer_append_char(out, '|');
    }
    am_jieba_end(&cut);
    return status;
}

static void expect_cut(const am_jieba *jieba, am_text text, const char *expected)
{
    am_buffer found = {0};
    am_test_expect_ok(cut_words(jieba, text, &found));
    assert_string_equal(am_buffer_text(&found), expected);
    am_buffer_deinit(&found);
}

static void expect_refused(const char *dictionary, const char *part)
{
    am_jieba *jieba;
    am_test_expect_error(am_jieba_parse(text_of(dictionary), "d.txt", &jieba), AM_INVALID_FILE, part);
    assert_null(jieba);
}

static void text_jieba__cuts_as_recorded(void **state)
{
    am_json_document *recorded;
    am_jieba *jieba;
    int count = 0;
    am_test_expect_ok(am_jieba_open(am_test_source_path(DATA), &jieba));
    am_test_expect_ok(am_json_open(am_test_source_path(DATA "/cuts.json"), &recorded));
    for (am_json_iterator row = am_json_iterate(am_json_root(recorded)); am_json_next(&row); count++) {
        am_buffer text = {0}, expected = {0};
        for (am_json_iterator i = am_json_iterate(row.value); am_json_next(&i);) {
            am_json_string word = am_json_text(i.value);
            am_buffer_append(&text, word.bytes, word.length);
            am_buffer_append(&expected, word.bytes, word.length);
            am_buffer_append_char(&expected, '|');
        }
        expect_cut(jieba, (am_text){am_buffer_text(&text), text.length}, am_buffer_text(&expected));
        am_buffer_deinit(&text);
        am_buffer_deinit(&expected);
    }
    assert_int_equal(count, 142);
    am_json_close(recorded);
    am_jieba_destroy(jieba);
}

static void text_jieba__names_the_bad_line(void **state)
{
    char word[300] = {0};
    memset(word, 'a', 256);
    expect_refused("a 1\n\nb\n", "d.txt: line 3: expected a frequency of 1 to 15 digits after the word, found \"\"");
    expect_refused("a -1", "line 1: expected a frequency of 1 to 15 digits after the word, found \"-1\"");
    expect_refused("a 1\r\nb 1.5 n", "line 2: expected a frequency of 1 to 15 digits after the word, found \"1.5\"");
    expect_refused("a 1000000000000000", "found \"1000000000000000\"");
    expect_refused("a 1 n n", "line 1: expected a word, a frequency and a tag, found more fields");
    expect_refused(am_test_format("%s 1", word), "line 1: a word of 256 bytes; the limit is 255");
    expect_refused("", "d.txt: no word has a frequency above 0");
    expect_refused("a 0\nb 0\n", "d.txt: no word has a frequency above 0");
    expect_refused("a 1\nb \xff", "d.txt: not UTF-8 at byte 6");
}

static void text_jieba__bounds_the_sum_of_frequencies(void **state)
{
    am_buffer dictionary = {0};
    am_jieba *jieba;
    for (int i = 0; i < 9; i++) am_buffer_printf(&dictionary, "w%d 999999999999999\n", i);
    am_test_expect_ok(am_jieba_parse(text_of(am_buffer_text(&dictionary)), "d.txt", &jieba));
    am_jieba_destroy(jieba);
    am_buffer_append_string(&dictionary, "w 999999999999999\n");
    expect_refused(am_buffer_text(&dictionary), "d.txt: the frequencies sum to 2^53 or more");
    am_buffer_deinit(&dictionary);
}

/* The last frequency of a word that is there twice counts; tabs, blank lines and "\r\n" are as spaces and ends. */
static void text_jieba__reads_what_dictionaries_have(void **state)
{
    am_jieba *jieba;
    am_test_expect_ok(am_jieba_parse(text_of("  #&\t9000 n\r\n\r\n&%\t 30\r\n# 90\n& 90\n% 90"), "d.txt", &jieba));
    expect_cut(jieba, text_of("#&%"), "#&|%|");
    am_jieba_destroy(jieba);
    am_test_expect_ok(am_jieba_parse(text_of("#& 9000\n&% 30\n# 90\n& 90\n% 90\n#& 1"), "d.txt", &jieba));
    expect_cut(jieba, text_of("#&%"), "#|&%|");
    am_jieba_destroy(jieba);
}

static void text_jieba__cuts_the_longest_words(void **state)
{
    enum { LENGTH = 255 * 40 };
    am_buffer dictionary = {0};
    am_jieba *jieba;
    am_text word;
    char *text = am_alloc(LENGTH);
    assert_non_null(text);
    memset(text, '#', LENGTH);
    am_buffer_append(&dictionary, text, 255);
    am_buffer_append_string(&dictionary, " 5\n");
    am_test_expect_ok(am_jieba_parse((am_text){am_buffer_text(&dictionary), dictionary.length}, "d.txt", &jieba));
    am_jieba_cut cut = am_jieba_begin(jieba, (am_text){text, LENGTH});
    for (int i = 0; i < 40; i++) {
        am_test_expect_ok(am_jieba_next(&cut, &word));
        assert_int_equal(word.length, 255);
    }
    am_test_expect_ok(am_jieba_next(&cut, &word));
    assert_int_equal(word.length, 0);
    am_jieba_end(&cut);
    am_jieba_destroy(jieba);
    am_buffer_deinit(&dictionary);
    am_free(text);
}

static void text_jieba__needs_a_dictionary_for_chinese_only(void **state)
{
    am_jieba *jieba;
    am_buffer found = {0};
    setenv("ANYMODEL_JIEBA", "", 1);
    am_test_expect_ok(am_jieba_open(am_test_temporary_directory(), &jieba));
    expect_cut(jieba, text_of("C++ c+ AT&Tb1 \xe6\x97\xa5 na\xc3\xafve"),
               "C++| |c|+| |AT&T|b1| |\xe6\x97\xa5| |na|\xc3\xaf|ve|");
    am_test_expect_error(cut_words(jieba, text_of("\xe6\x97\xa5\xe6\x9c\xac"), &found), AM_UNSUPPORTED,
                         "install Debian's python3-jieba");
    am_test_expect_error(cut_words(jieba, text_of("a\xe6\x97\xa5"), &found), AM_UNSUPPORTED, "ANYMODEL_JIEBA");
    am_buffer_deinit(&found);
    am_jieba_destroy(jieba);
}

static void text_jieba__looks_beside_the_model_before_the_variable(void **state)
{
    const char *root = am_test_temporary_directory();
    const char *model = am_test_format("%s/model", root), *folder = am_test_format("%s/dictionary", root);
    am_jieba *jieba;
    assert_int_equal(mkdir(model, 0777), 0);
    assert_int_equal(mkdir(folder, 0777), 0);
    setenv("ANYMODEL_JIEBA", folder, 1);
    am_test_expect_error(am_jieba_open(model, &jieba), AM_NOT_FOUND, "dictionary/dict.txt");
    am_test_write_text(folder, "dict.txt", "## 9\n");
    am_test_expect_ok(am_jieba_open(model, &jieba));
    expect_cut(jieba, text_of("###"), "##|#|");
    am_jieba_destroy(jieba);
    am_test_write_text(model, "jieba_dict.txt", "### 9\n");
    am_test_expect_ok(am_jieba_open(model, &jieba));
    expect_cut(jieba, text_of("###"), "###|");
    am_jieba_destroy(jieba);
    am_test_write_text(model, "jieba_dict.txt", "###\n");
    am_test_expect_error(am_jieba_open(model, &jieba), AM_INVALID_FILE, "model/jieba_dict.txt: line 1: ");
    setenv("ANYMODEL_JIEBA", "", 1);
}

static void text_jieba__survives_failed_allocations(void **state)
{
    const char *folder = am_test_source_path(DATA);
    am_status status = NULL;
    int64_t n = 0;
    do {
        am_jieba *jieba;
        am_buffer found = {0};
        am_status_free(status);
        am_memory_fail_after(n++);
        status = am_jieba_open(folder, &jieba);
        if (!status) status = cut_words(jieba, text_of("a\xe6\x97\xa5 ab"), &found);
        if (!status && found.failed) status = am_error(AM_OUT_OF_MEMORY, "words");
        am_memory_fail_after(-1);
        if (status) assert_int_equal(am_status_code(status), AM_OUT_OF_MEMORY);
        am_buffer_deinit(&found);
        am_jieba_destroy(jieba);
    } while (status);
    assert_in_range(n, 8, 1000);
}

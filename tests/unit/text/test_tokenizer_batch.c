/* Batches on several threads, and what makes encoding fast: it must not show in the answers. */
#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/prng.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "text/tokenizer.h"
#include "text/tokenizer/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 150, TEXT_BYTES = 400 };

static am_tokenizer *open_data(const char *name)
{
    am_tokenizer *t;
    const char *path = am_test_source_path(am_test_format("tests/unit/text/data/tokenizers/%s", name));
    am_test_expect_ok(am_tokenizer_open(path, AM_TOKENIZER_AUTO, &t));
    return t;
}

/* Words that come again, of letters, digits, marks, ideographs and emoji; some are long. */
static am_text make_text(uint64_t seed, char *out)
{
    static const uint32_t firsts[] = {'a', '0', '!', 0xC0, 0x410, 0x300, 0x4E00, 0xAC00, 0x1F600, 0x915, ' '};
    uint64_t drawn = 0;
    size_t length = 0;
    while (length + 4 < TEXT_BYTES) {
        uint32_t first = firsts[am_splitmix(seed, drawn++) % (sizeof firsts / sizeof firsts[0])];
        uint64_t count = am_splitmix(seed, drawn++) % 16 ? 1 + am_splitmix(seed, drawn++) % 6 : 70;
        for (uint64_t i = 0; i < count && length + 4 < TEXT_BYTES; i++)
            length += am_utf8_put(first + (uint32_t)(am_splitmix(seed, drawn++) % 5), out + length);
        if (am_splitmix(seed, drawn++) % 2) out[length++] = ' ';
    }
    return (am_text){out, length};
}

static void make_texts(char (*bytes)[TEXT_BYTES], am_text *texts)
{
    for (size_t i = 0; i < TEXTS; i++) texts[i] = make_text(i, bytes[i]);
}

static void expect_same(const am_encoding *a, const am_encoding *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->ids, b->ids, a->count * sizeof *a->ids);
    assert_memory_equal(a->word_ids, b->word_ids, a->count * sizeof *a->word_ids);
    assert_memory_equal(a->offsets, b->offsets, a->count * sizeof *a->offsets);
    assert_memory_equal(a->byte_offsets, b->byte_offsets, a->count * sizeof *a->byte_offsets);
    for (size_t i = 0; i < a->count; i++) assert_true(am_text_equal(a->tokens[i], b->tokens[i]));
}

/* Each text of a batch, on three threads, as by a tokenizer that has seen no other text. */
static void expect_same_alone(const char *name, const am_text *texts)
{
    am_encoding batch[TEXTS], alone;
    am_tokenizer *t = open_data(name);
    for (int round = 0; round < 2; round++) {
        am_test_expect_ok(am_tokenizer_encode_batch(t, texts, NULL, TEXTS, NULL, batch));
        for (size_t i = 0; i < TEXTS; i++) {
            am_tokenizer *fresh = round == 0 && i % 10 == 0 ? open_data(name) : NULL;
            am_test_expect_ok(am_tokenizer_encode(fresh ? fresh : t, texts[i], NULL, NULL, &alone));
            expect_same(&batch[i], &alone);
            am_encoding_deinit(&alone);
            am_encoding_deinit(&batch[i]);
            am_tokenizer_close(fresh);
        }
    }
    am_tokenizer_close(t);
}

static void text_tokenizer_batch__is_the_same_on_threads_and_when_words_come_again(void **state)
{
    static const char *const names[] = {"families/gpt2", "families/bert_uncased", "families/t5", "families/llama"};
    static char bytes[TEXTS][TEXT_BYTES];
    am_text texts[TEXTS];
    make_texts(bytes, texts);
    am_test_expect_ok(am_threads_set(3));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) expect_same_alone(names[i], texts);
    am_threads_shutdown();
}

static size_t copy_ids(const am_encoding *e, int32_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < e->count; i++)
        if (!e->special_tokens_mask[i]) out[count++] = e->ids[i];
    return count;
}

/* A text of which the arrays are so large that they are given back as soon as they can be, whole and in parts. */
static void expect_whole_in_parts(const am_tokenizer *t, am_text text)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_encoding whole, parts;
    am_test_expect_ok(am_tokenizer_encode(t, text, NULL, &options, &whole));
    options.truncation = AM_TRUNCATE_LONGEST_FIRST;
    options.max_length = whole.count / 4 + 10;
    am_test_expect_ok(am_tokenizer_encode(t, text, NULL, &options, &parts));
    int32_t *expected = am_alloc(whole.count * sizeof *expected), *found = am_alloc(whole.count * 2 * sizeof *found);
    assert_non_null(expected);
    assert_non_null(found);
    size_t count = copy_ids(&whole, expected), found_count = copy_ids(&parts, found);
    assert_int_equal(parts.overflowing_count, 3);
    for (size_t i = 0; i < 3; i++) found_count += copy_ids(&parts.overflowing[i], found + found_count);
    assert_int_equal(found_count, count);
    assert_memory_equal(found, expected, count * sizeof *found);
    am_free(expected);
    am_free(found);
    am_encoding_deinit(&whole);
    am_encoding_deinit(&parts);
}

static void text_tokenizer_batch__encodes_short_texts_after_very_long_ones(void **state)
{
    static const char *const names[] = {"families/gpt2", "families/bert_uncased", "families/roberta", "families/t5"};
    static char bytes[1200000];
    const am_text text = {bytes, sizeof bytes}, sentence = {"The quick brown fox", 19};
    am_encoding before, after;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = i % 2 ? ' ' : (char)('a' + i / 2 % 26);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        am_tokenizer *t = open_data(names[i]);
        am_test_expect_ok(am_tokenizer_encode(t, sentence, NULL, NULL, &before));
        expect_whole_in_parts(t, text);
        am_test_expect_ok(am_tokenizer_encode(t, sentence, NULL, NULL, &after));
        expect_same(&before, &after);
        am_encoding_deinit(&before);
        am_encoding_deinit(&after);
        am_tokenizer_close(t);
    }
}

static void text_tokenizer_batch__fails_with_the_first_text_that_does(void **state)
{
    static char bytes[TEXTS][TEXT_BYTES];
    am_text texts[TEXTS];
    am_encoding out[TEXTS];
    am_tokenizer *t = open_data("families/gpt2");
    make_texts(bytes, texts);
    bytes[17][0] = bytes[3 * TEXTS / 4][0] = bytes[TEXTS - 1][9] = (char)0xFF;
    am_test_expect_ok(am_threads_set(3));
    for (int round = 0; round < 20; round++)
        am_test_expect_error(am_tokenizer_encode_batch(t, texts, NULL, TEXTS, NULL, out), AM_INVALID_ARGUMENT,
                             "text 17: text: not UTF-8 at byte 0");
    am_test_expect_ok(am_tokenizer_encode_batch(t, texts, NULL, 0, NULL, out));
    am_threads_shutdown();
    am_tokenizer_close(t);
}

/* ---- bytes that are not written as characters first ---- */

/* Byte-level BPE of all bytes and of some pairs of them; `after` are pre-tokenizers behind ByteLevel. */
static am_tokenizer *make_byte_level(bool ignore_merges, const char *after)
{
    static const char *const pairs[][2] = {{"a", "b"}, {"b", "a"},  {"ab", "ba"},
                                           {"1", "2"}, {"c", "ab"}, {"\xc3\xa4", "\xc2\xb8"}}; /* the last: E4 B8 */
    size_t count = sizeof pairs / sizeof pairs[0];
    am_buffer json = {0};
    char c[4];
    am_tokenizer *t;
    am_buffer_printf(
        &json,
        "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\","
        "\"add_prefix_space\":true,\"use_regex\":true}%s]},\"model\":{\"type\":\"BPE\",\"ignore_merges\":%s,"
        "\"vocab\":{",
        after, ignore_merges ? "true" : "false");
    for (int byte = 0; byte < 256; byte++) {
        am_buffer_append_json_string(&json, c, am_utf8_put(am_byte_level_char((unsigned char)byte), c));
        am_buffer_printf(&json, ":%d,", byte);
    }
    for (size_t i = 0; i < count; i++) am_buffer_printf(&json, "\"%s%s\":%zu,", pairs[i][0], pairs[i][1], 256 + i);
    am_buffer_append_string(&json, "\"\xc4\xa0"
                                   "abc\":300},\"merges\":["); /* " abc" */
    for (size_t i = 0; i < count; i++)
        am_buffer_printf(&json, "%s[\"%s\",\"%s\"]", i ? "," : "", pairs[i][0], pairs[i][1]);
    am_buffer_append_string(&json, "]}}");
    am_test_expect_ok(am_tokenizer_parse(am_buffer_text(&json), json.length, "test", &t));
    am_buffer_deinit(&json);
    return t;
}

static void text_tokenizer_batch__cuts_bytes_as_the_characters_for_them(void **state)
{
    /* Any pre-tokenizer behind ByteLevel needs the characters; this one never cuts. */
    const char *after = ",{\"type\":\"Split\",\"pattern\":{\"String\":\"\\u0001\"},\"behavior\":\"Isolated\","
                        "\"invert\":false}";
    static char bytes[TEXT_BYTES];
    for (int ignore_merges = 0; ignore_merges < 2; ignore_merges++) {
        am_tokenizer *raw = make_byte_level(ignore_merges, ""), *written = make_byte_level(ignore_merges, after);
        assert_true(raw->model.bpe.takes_raw_bytes);
        for (uint64_t seed = 0; seed < 300; seed++) {
            am_text text = seed ? make_text(seed, bytes) : (am_text){"abc abc", 7};
            am_encoding a, b;
            am_test_expect_ok(am_tokenizer_encode(raw, text, NULL, NULL, &a));
            am_test_expect_ok(am_tokenizer_encode(written, text, NULL, NULL, &b));
            expect_same(&a, &b);
            if (seed == 0) assert_int_equal(a.ids[0] == 300, ignore_merges);
            am_encoding_deinit(&a);
            am_encoding_deinit(&b);
        }
        am_tokenizer_close(raw);
        am_tokenizer_close(written);
    }
}

/* ---- beginnings of entries ---- */

static void text_tokenizer_batch__knows_the_beginnings_of_entries(void **state)
{
    static const char *const entries[] = {"a", "abc", "\xc3\xa9t\xc3\xa9", "abcdefgh", "x"};
    am_vocabulary v;
    am_prefixes p;
    am_test_expect_ok(am_vocabulary_init(&v, 0));
    for (int64_t i = 0; i < 5; i++) {
        am_text text = {entries[i], strlen(entries[i])};
        am_test_expect_ok(am_vocabulary_add(&v, text, i, false, "test"));
    }
    am_test_expect_ok(am_vocabulary_finish(&v));
    am_test_expect_ok(am_prefixes_init(&p, &v));
    const struct {
        const char *text;
        unsigned expected;
    } cases[] = {{"a", AM_PREFIX_IS_ENTRY | AM_PREFIX_GOES_ON},
                 {"ab", AM_PREFIX_GOES_ON},
                 {"abc", AM_PREFIX_IS_ENTRY | AM_PREFIX_GOES_ON},
                 {"\xc3\xa9", AM_PREFIX_GOES_ON},
                 {"x", AM_PREFIX_IS_ENTRY},
                 {"\xc3", 0},
                 {"b", 0},
                 {"abcdefghi", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(am_prefixes_find(&p, am_hash_bytes(AM_HASH_START, cases[i].text, strlen(cases[i].text))),
                         cases[i].expected);
    am_text left = {"abc", 3}, right = {"defgh", 5};
    uint32_t hash = am_hash_bytes(AM_HASH_START, "abcdefgh", 8);
    assert_int_equal(am_vocabulary_find_joined(&v, left, right, hash)->id, 3);
    assert_null(am_vocabulary_find_joined(&v, right, left, hash));
    am_prefixes_deinit(&p);
    am_vocabulary_deinit(&v);
}

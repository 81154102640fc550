/* Tokenizers that transformers writes in Python: what is refused, limits, long words, words of a page. What they answer
   is held against records in tests/unit/recorded. */
#include "test_support.h"

#include "base/memory.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DATA "tests/unit/text/data/tokenizers"

static am_tokenizer *open_data(const char *name)
{
    am_tokenizer *t;
    am_test_expect_ok(
        am_tokenizer_open(am_test_format("%s/%s", am_test_source_path(DATA), name), AM_TOKENIZER_AUTO, &t));
    return t;
}

static const char *make_folder(const char *name)
{
    const char *folder = am_test_format("%s/%s", am_test_temporary_directory(), name);
    assert_int_equal(mkdir(folder, 0777), 0);
    return folder;
}

static void expect_open_error(const char *folder, am_code code, const char *part)
{
    am_tokenizer *t;
    am_test_expect_error(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t), code, part);
    assert_null(t);
}

static void text_tokenizer_python__names_the_bad_line(void **state)
{
    const char *folder = make_folder("ctrl");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"CTRLTokenizer\"}");
    expect_open_error(folder, AM_NOT_FOUND, "vocab.json");
    am_test_write_text(folder, "vocab.json", "[]");
    expect_open_error(folder, AM_INVALID_FILE, "vocab.json: expected an object");
    am_test_write_text(folder, "vocab.json", "{\"a\":\"b\"}");
    expect_open_error(folder, AM_INVALID_FILE, "id of \"a\": expected a whole number, found a string");
    am_test_write_text(folder, "vocab.json", "{\"a\":0}");
    expect_open_error(folder, AM_NOT_FOUND, "merges.txt");
    am_test_write_text(folder, "merges.txt", "#version: 0.2\na b</w>\n\nc\n");
    expect_open_error(folder, AM_INVALID_FILE, "merges.txt: line 4: expected two tokens, found 1 words");
    am_test_write_text(folder, "merges.txt", "#version: 0.2\na \xff\n");
    expect_open_error(folder, AM_INVALID_FILE, "merges.txt: not UTF-8 at byte 16");
}

static void text_tokenizer_python__names_the_bad_line_of_dictionaries(void **state)
{
    const char *folder = make_folder("phobert");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"PhobertTokenizer\"}");
    am_test_write_text(folder, "vocab.txt", "a 1\nb\n");
    expect_open_error(folder, AM_INVALID_FILE, "vocab.txt: line 2: expected a token and a count");
    am_test_write_text(folder, "vocab.txt", "a 1\n");
    am_test_write_text(folder, "bpe.codes", "a b\n");
    expect_open_error(folder, AM_INVALID_FILE, "bpe.codes: line 1: expected two tokens and a count, found 2 words");
}

static void text_tokenizer_python__names_what_is_unsupported(void **state)
{
    static const char *const cases[][2] = {
        {"{\"tokenizer_class\":\"VitsTokenizer\"}", "phonemizer espeak"},
        {"{\"tokenizer_class\":\"Wav2Vec2PhonemeCTCTokenizer\"}", "phonemizer espeak"},
        {"{\"tokenizer_class\":\"BertweetTokenizer\",\"normalization\":true}", "rewrites tweets"},
        {"{\"tokenizer_class\":\"BertJapaneseTokenizer\",\"word_tokenizer_type\":\"mecab\"}", "\"mecab\""},
        {"{\"tokenizer_class\":\"BertJapaneseTokenizer\",\"subword_tokenizer_type\":\"sentencepiece\"}",
         "sentencepiece"},
        {"{\"tokenizer_class\":\"GPTNeoXJapaneseTokenizer\",\"do_clean_text\":true}", "do_clean_text"},
        {"{\"tokenizer_class\":\"FSMTTokenizer\",\"langs\":[\"en\",\"cs\"]}", "target language \"cs\""},
    };
    const char *folder = make_folder("unsupported");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        am_test_write_text(folder, "tokenizer_config.json", cases[i][0]);
        expect_open_error(folder, AM_UNSUPPORTED, cases[i][1]);
    }
}

/* A dictionary beside the model is used by both classes; with vocab.txt alone RoFormer keeps no word whole. */
static void text_tokenizer_python__cuts_chinese_with_a_dictionary(void **state)
{
    static const struct {
        const char *class;
        int32_t ids[5];
    } cases[] = {{"CpmAntTokenizer", {2, 8, 9, 10, -1}}, {"RoFormerTokenizer", {2, 11, 12, 9, 3}}};
    const char *folder = make_folder("jieba");
    am_test_write_text(folder, "jieba_dict.txt", "\xe4\xb8\xad\xe5\x9b\xbd 9 ns\n");
    am_test_write_text(
        folder, "vocab.txt",
        "<pad>\n<unk>\n<s>\n[SEP]\n</_>\n</n>\n[PAD]\n[UNK]\n\xe4\xb8\xad\xe5\x9b\xbd\n\xe4\xba\xba\nab\n"
        "\xe4\xb8\xad\n\xe5\x9b\xbd\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_tokenizer *t;
        am_encoding e;
        am_test_write_text(folder, "tokenizer_config.json",
                           am_test_format("{\"tokenizer_class\":\"%s\",\"cls_token\":\"<s>\"}", cases[i].class));
        am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
        am_test_expect_ok(am_tokenizer_encode(t,
                                              (am_text){"\xe4\xb8\xad\xe5\x9b\xbd\xe4\xba\xba"
                                                        "ab",
                                                        i == 0 ? 11 : 9},
                                              NULL, NULL, &e));
        assert_int_equal(e.count, i == 0 ? 4 : 5);
        assert_memory_equal(e.ids, cases[i].ids, e.count * sizeof *e.ids);
        am_encoding_deinit(&e);
        am_tokenizer_close(t);
    }
}

/* Merging is not quadratic in the length of a word: this would take hours. */
static void text_tokenizer_python__cuts_long_words(void **state)
{
    enum { LENGTH = 2000000 };
    const char *folder = make_folder("long");
    am_tokenizer *t;
    am_encoding e;
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"CTRLTokenizer\"}");
    am_test_write_text(folder, "vocab.json", "{\"<unk>\":0,\"a@@\":1,\"aaaa@@\":2,\"aaaa\":3}");
    am_test_write_text(folder, "merges.txt", "#version: 0.2\na a\na a</w>\naa aa\naa aa</w>\n");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    char *text = am_alloc(LENGTH);
    assert_non_null(text);
    memset(text, 'a', LENGTH);
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){text, LENGTH}, NULL, NULL, &e));
    assert_int_equal(e.count, LENGTH / 4);
    assert_int_equal(e.ids[0], 2);
    assert_int_equal(e.ids[e.count - 1], 3);
    am_encoding_deinit(&e);
    memset(text, '.', LENGTH);
    am_tokenizer *moses = open_data("python/biogpt");
    am_test_expect_ok(am_tokenizer_encode(moses, (am_text){text, LENGTH}, NULL, NULL, &e));
    assert_true(e.count > LENGTH / 64);
    am_encoding_deinit(&e);
    am_tokenizer_close(moses);
    am_tokenizer_close(t);
    am_free(text);
}

/* transformers 5.23: tokenizer("abcdef", "xyz", truncation=..., max_length=...) of ByT5Tokenizer. */
static void text_tokenizer_python__truncates_as_python_does(void **state)
{
    am_tokenizer *t = open_data("python/byt5");
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_text pair = {"xyz", 3};
    am_encoding e;
    static const struct {
        am_truncation truncation;
        uint64_t max_length;
        const char *left; /* of both texts, "|" for </s> */
    } cases[] = {{AM_TRUNCATE_LONGEST_FIRST, 9, "abcd|xyz|"},
                 {AM_TRUNCATE_LONGEST_FIRST, 7, "abc|xy|"},
                 {AM_TRUNCATE_ONLY_FIRST, 6, "a|xyz|"},
                 {AM_TRUNCATE_ONLY_SECOND, 10, "abcdef|xy|"},
                 {AM_TRUNCATE_ONLY_SECOND, 6, "abcdef||"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        options.truncation = cases[i].truncation;
        options.max_length = cases[i].max_length;
        am_test_expect_ok(am_tokenizer_encode(t, (am_text){"abcdef", 6}, &pair, &options, &e));
        assert_int_equal(e.count, strlen(cases[i].left));
        for (size_t k = 0; k < e.count; k++)
            assert_int_equal(e.ids[k], cases[i].left[k] == '|' ? 1 : cases[i].left[k] + 3);
        am_encoding_deinit(&e);
    }
    am_tokenizer_close(t);
}

static void text_tokenizer_python__looks_up_code_points(void **state)
{
    am_tokenizer *t = open_data("python/canine");
    assert_int_equal(am_tokenizer_id_limit(t), 0x110000);
    assert_int_equal(am_tokenizer_token_to_id(t, (am_text){"\xe4\xbd\xa0", 3}), 0x4F60);
    assert_int_equal(am_tokenizer_token_to_id(t, (am_text){"ab", 2}), -1);
    assert_int_equal(am_tokenizer_special_id(t, "pad_token"), 0);
    assert_null(am_tokenizer_id_to_token(t, 0xD800).bytes);
    assert_null(am_tokenizer_id_to_token(t, 0x110000).bytes);
    assert_false(am_tokenizer_is_fast(t));
    am_tokenizer_close(t);
}

static void text_tokenizer_python__checks_marks_of_words(void **state)
{
    am_tokenizer *boxes = open_data("families/layoutlmv2"), *paths = open_data("families/markuplm"),
                 *none = open_data("python/byt5");
    am_layout_encoding e;
    am_word_marks marks = {0};
    am_text word = {"a", 1}, question = {"b c", 3}, bad = {"/html/p[x]", 10};
    const int32_t box[1][4] = {{1, 2, 3, 4}};
    am_test_expect_error(am_tokenizer_encode_layout(none, NULL, &word, 1, &marks, NULL, &e), AM_UNSUPPORTED,
                         "ByT5Tokenizer");
    am_test_expect_error(am_tokenizer_encode_layout(boxes, NULL, &word, 1, &marks, NULL, &e), AM_INVALID_ARGUMENT,
                         "boxes");
    am_test_expect_error(am_tokenizer_encode_layout(paths, NULL, &word, 1, &marks, NULL, &e), AM_INVALID_ARGUMENT,
                         "xpaths");
    marks.xpaths = &bad;
    am_test_expect_error(am_tokenizer_encode_layout(paths, NULL, &word, 1, &marks, NULL, &e), AM_INVALID_ARGUMENT,
                         "\"p[x]\"");
    marks = (am_word_marks){.boxes = box};
    am_test_expect_ok(am_tokenizer_encode_layout(boxes, &question, &word, 1, &marks, NULL, &e));
    assert_int_equal(e.encoding.count, 6); /* [CLS] b c [SEP] a [SEP] */
    assert_int_equal(e.boxes[1][3], 0);
    assert_int_equal(e.boxes[3][3], 1000);
    assert_int_equal(e.boxes[4][3], 4);
    assert_null(e.labels);
    am_layout_encoding_deinit(&e);
    am_tokenizer_close(boxes);
    am_tokenizer_close(paths);
    am_tokenizer_close(none);
}

/* Opens, encodes and decodes with the n-th allocation failing, for every `step`-th n. */
static void survive_failed_allocations(const char *name, int64_t step)
{
    const char *path = am_test_format("%s/%s", am_test_source_path(DATA), name);
    am_text pair = {"b <mask> \xc3\xa9", 11};
    bool done = false;
    for (int64_t n = 0; !done; n += step) {
        am_tokenizer *t;
        am_encoding e = {0};
        char *text = NULL;
        size_t length;
        am_memory_fail_after(n);
        am_status status = am_tokenizer_open(path, AM_TOKENIZER_AUTO, &t);
        if (!status)
            status = am_tokenizer_encode(t, (am_text){"The na\xc3\xafve dog's $1.50 U.S. ...", 30}, &pair, NULL, &e);
        if (!status) status = am_tokenizer_decode(t, e.ids, e.count, NULL, &text, &length);
        am_memory_fail_after(-1);
        done = !status;
        if (status && am_status_code(status) != AM_OUT_OF_MEMORY) fail_msg("%s: %s", name, am_status_message(status));
        assert_true(n < 40000);
        am_status_free(status);
        am_free(text);
        am_encoding_deinit(&e);
        am_tokenizer_close(t);
    }
}

static void text_tokenizer_python__survives_failed_allocations(void **state)
{
    static const char *const names[] = {"byt5",
                                        "myt5",
                                        "canine",
                                        "bert_legacy",
                                        "bert_japanese_basic_char",
                                        "clvp",
                                        "gpt_neox_japanese",
                                        "vits",
                                        "wav2vec2_phoneme",
                                        "esm",
                                        "cpmant"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        survive_failed_allocations(am_test_format("python/%s", names[i]), 1);
}

static void text_tokenizer_python__survives_failed_allocations_of_bpe(void **state)
{
    static const char *const names[] = {"bertweet", "blenderbot_small", "biogpt", "fsmt", "xlm", "flaubert"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        survive_failed_allocations(am_test_format("python/%s", names[i]), 7);
}

/* U+107A5 is a small q above the line since Unicode 14, which Python knows and the tokenizers library does not. */
static void text_tokenizer_python__knows_the_characters_that_python_knows(void **state)
{
    am_tokenizer *t = open_data("python/cpm");
    am_encoding young, plain;
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){"a\xf0\x90\x9e\xa5 b", 7}, NULL, NULL, &young));
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){"aq b", 4}, NULL, NULL, &plain));
    assert_int_equal(young.count, plain.count);
    assert_memory_equal(young.ids, plain.ids, plain.count * sizeof *plain.ids);
    am_encoding_deinit(&young);
    am_encoding_deinit(&plain);
    am_tokenizer_close(t);
}

/* U+10D50 is a capital letter since Unicode 16, and so has no small one for Python 3.11. */
static void text_tokenizer_python__knows_no_characters_that_python_does_not_know(void **state)
{
    am_tokenizer *t = open_data("python/siglip");
    am_encoding e;
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){"\xf0\x90\xb5\x90", 4}, NULL, NULL, &e));
    bool found = false;
    for (size_t i = 0; i < e.count; i++)
        found |=
            e.tokens[i].length >= 4 && memcmp(e.tokens[i].bytes + e.tokens[i].length - 4, "\xf0\x90\xb5\x90", 4) == 0;
    assert_true(found);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

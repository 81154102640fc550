/* Encoding, decoding and looking things up; what is recorded elsewhere is not repeated. */
#include "test_support.h"

#include "base/memory.h"
#include "text/tokenizer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((am_text){literal, sizeof literal - 1})

static const char *data(const char *name)
{
    return am_test_source_path(am_test_format("tests/unit/text/data/tokenizers/%s", name));
}

static am_tokenizer *open_data(const char *name, am_tokenizer_mode mode)
{
    am_tokenizer *t;
    am_test_expect_ok(am_tokenizer_open(data(name), mode, &t));
    return t;
}

static am_tokenizer *parse(const char *json)
{
    am_tokenizer *t;
    am_test_expect_ok(am_tokenizer_parse(json, strlen(json), "test", &t));
    return t;
}

static const char words_json[] =
    "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0,\"a\":1,\"b\":2,\"c\":3},\"unk_token\":\"u\"},"
    "\"pre_tokenizer\":{\"type\":\"Whitespace\"}}";

static void expect_ids(const am_encoding *e, size_t count, const int32_t *ids)
{
    assert_int_equal(e->count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(e->ids[i], ids[i]);
}

static bool same_text(am_text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.bytes, expected, text.length) == 0;
}

static void text_tokenizer__answers_what_a_bert_knows(void **state)
{
    am_tokenizer *t = open_data("families/bert_uncased", AM_TOKENIZER_AUTO);
    assert_string_equal(am_tokenizer_class(t), "BertTokenizer");
    assert_true(am_tokenizer_has_type_ids(t));
    assert_int_equal(am_tokenizer_padding_side(t), AM_SIDE_RIGHT);
    assert_int_equal(am_tokenizer_truncation_side(t), AM_SIDE_RIGHT);
    assert_true(same_text(am_tokenizer_special_token(t, "cls_token"), "[CLS]"));
    assert_null(am_tokenizer_special_token(t, "bos_token").bytes);
    assert_int_equal(am_tokenizer_special_id(t, "bos_token"), -1);
    int32_t cls = am_tokenizer_special_id(t, "cls_token");
    assert_true(cls >= 0);
    assert_int_equal(am_tokenizer_token_to_id(t, TEXT("[CLS]")), cls);
    assert_true(same_text(am_tokenizer_id_to_token(t, cls), "[CLS]"));
    assert_true(am_tokenizer_is_special(t, cls));
    assert_int_equal(am_tokenizer_token_to_id(t, TEXT("no such token")), -1);
    assert_null(am_tokenizer_id_to_token(t, -1).bytes);
    assert_null(am_tokenizer_id_to_token(t, 1 << 30).bytes);
    assert_false(am_tokenizer_is_special(t, 1 << 30));
    assert_true(am_tokenizer_vocab_size(t, true) >= am_tokenizer_vocab_size(t, false));
    assert_true((size_t)am_tokenizer_id_limit(t) >= am_tokenizer_vocab_size(t, true));
    am_tokenizer_close(t);
    am_tokenizer_close(NULL);
}

static void text_tokenizer__sides_and_lengths_come_from_the_class_and_the_configuration(void **state)
{
    am_tokenizer *t = open_data("families/llama", AM_TOKENIZER_AUTO);
    assert_int_equal(am_tokenizer_padding_side(t), AM_SIDE_LEFT);
    assert_int_equal(am_tokenizer_model_max_length(t), 0);
    assert_string_equal(am_tokenizer_class(t), "LlamaTokenizer");
    am_tokenizer_close(t);

    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer.json", words_json);
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"model_max_length\": 12, \"padding_side\": \"left\", \"truncation_side\": "
                       "\"left\", \"pad_token\": \"c\","
                       " \"image_token\": \"b\", \"model_input_names\": [\"input_ids\", \"token_type_ids\"], "
                       "\"unk_token\": \"u\","
                       " \"clean_up_tokenization_spaces\": true}");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    assert_string_equal(am_tokenizer_class(t), "TokenizersBackend");
    assert_int_equal(am_tokenizer_model_max_length(t), 12);
    assert_int_equal(am_tokenizer_padding_side(t), AM_SIDE_LEFT);
    assert_int_equal(am_tokenizer_truncation_side(t), AM_SIDE_LEFT);
    assert_true(am_tokenizer_has_type_ids(t));
    assert_int_equal(am_tokenizer_special_id(t, "image_token"), 2);
    am_tokenizer_close(t);
}

static void text_tokenizer__pads_and_truncates_as_asked(void **state)
{
    am_tokenizer *t;
    am_encoding e[2];
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer.json", words_json);
    am_test_write_text(folder, "tokenizer_config.json", "{\"pad_token\": \"c\", \"unk_token\": \"u\"}");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    const am_text texts[2] = {TEXT("a b a b a"), TEXT("b")};
    am_encode_options options = AM_ENCODE_OPTIONS;
    options.truncation = AM_TRUNCATE_LONGEST_FIRST;
    options.max_length = 2;
    options.stride = 1;
    options.padding = AM_PAD_LONGEST;
    am_test_expect_ok(am_tokenizer_encode_batch(t, texts, NULL, 2, &options, e));
    expect_ids(&e[0], 2, (const int32_t[]){1, 2});
    expect_ids(&e[1], 2, (const int32_t[]){2, 3});
    assert_int_equal(e[1].attention_mask[1], 0);
    assert_int_equal(e[1].special_tokens_mask[1], 1);
    assert_int_equal(e[0].overflowing_count, 3);
    expect_ids(&e[0].overflowing[0], 2, (const int32_t[]){2, 1});
    am_encoding_deinit(&e[0]);
    am_encoding_deinit(&e[1]);

    options = AM_ENCODE_OPTIONS;
    options.padding = AM_PAD_MAX_LENGTH;
    options.padding_side = AM_SIDE_LEFT;
    options.max_length = 3;
    options.pad_to_multiple_of = 4;
    am_test_expect_ok(am_tokenizer_encode(t, texts[1], NULL, &options, &e[0]));
    expect_ids(&e[0], 4, (const int32_t[]){3, 3, 3, 2});
    am_encoding_deinit(&e[0]);

    options.truncation = AM_TRUNCATE_ONLY_FIRST;
    am_test_expect_error(am_tokenizer_encode(t, texts[0], NULL, &options, &e[0]), AM_INVALID_ARGUMENT, "multiple of 4");
    options.pad_to_multiple_of = 0;
    options.stride = 3;
    am_test_expect_error(am_tokenizer_encode(t, texts[0], NULL, &options, &e[0]), AM_INVALID_ARGUMENT, "stride");
    options.stride = 0;
    options.truncation = AM_TRUNCATE_ONLY_SECOND;
    am_test_expect_error(am_tokenizer_encode(t, texts[0], NULL, &options, &e[0]), AM_INVALID_ARGUMENT, "");
    am_tokenizer_close(t);

    t = parse(words_json);
    options = AM_ENCODE_OPTIONS;
    options.padding = AM_PAD_LONGEST;
    am_test_expect_error(am_tokenizer_encode(t, texts[0], NULL, &options, &e[0]), AM_INVALID_ARGUMENT, "pad_token");
    am_test_expect_error(am_tokenizer_encode_batch(t, texts, NULL, 2, &options, e), AM_INVALID_ARGUMENT, "pad_token");
    am_tokenizer_close(t);
}

static void text_tokenizer__keeps_offsets_in_bytes_and_code_points(void **state)
{
    am_tokenizer *t = parse(words_json);
    am_encoding e;
    am_text pair = TEXT("b \xe2\x82\xac");
    am_test_expect_ok(am_tokenizer_encode(t, TEXT("\xc3\xa9 a"), &pair, NULL, &e));
    expect_ids(&e, 4, (const int32_t[]){0, 1, 2, 0});
    assert_int_equal(e.offsets[1].start, 2);
    assert_int_equal(e.byte_offsets[1].start, 3);
    assert_int_equal(e.byte_offsets[1].end, 4);
    assert_int_equal(e.offsets[3].end, 3);
    assert_int_equal(e.byte_offsets[3].end, 5);
    assert_int_equal(e.sequence_ids[1], 0);
    assert_int_equal(e.sequence_ids[3], 1);
    assert_int_equal(e.type_ids[3], 1);
    assert_int_equal(e.word_ids[3], 1);
    am_encoding_deinit(&e);
    am_encoding_deinit(&e);

    const am_text words[] = {TEXT("a"), TEXT("b c"), TEXT("")};
    am_test_expect_ok(am_tokenizer_encode_words(t, words, 3, words, 1, NULL, &e));
    expect_ids(&e, 4, (const int32_t[]){1, 2, 3, 1});
    assert_int_equal(e.word_ids[2], 1);
    assert_int_equal(e.offsets[2].start, 2);
    assert_int_equal(e.sequence_ids[3], 1);
    am_encoding_deinit(&e);
    am_test_expect_ok(am_tokenizer_encode(t, TEXT(""), NULL, NULL, &e));
    assert_int_equal(e.count, 0);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

static void text_tokenizer__an_empty_pair_is_one_in_file_mode_only(void **state)
{
    am_text nothing = TEXT("");
    am_encoding e;
    am_tokenizer *t = open_data("families/bert_uncased", AM_TOKENIZER_AUTO);
    am_test_expect_ok(am_tokenizer_encode(t, TEXT("a"), &nothing, NULL, &e));
    assert_int_equal(e.count, 3);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
    t = open_data("families/bert_uncased", AM_TOKENIZER_FILE);
    am_test_expect_ok(am_tokenizer_encode(t, TEXT("a"), &nothing, NULL, &e));
    assert_int_equal(e.count, 4);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

static void text_tokenizer__refuses_text_that_is_not_utf8(void **state)
{
    am_tokenizer *t = parse(words_json), *ctc = open_data("python/wav2vec2_ctc", AM_TOKENIZER_AUTO);
    am_encoding e[2];
    am_text bad = TEXT("ab\xff"), cut = TEXT("a\xe2\x82"), surrogate = TEXT("\xed\xa0\x80");
    am_test_expect_error(am_tokenizer_encode(t, bad, NULL, NULL, &e[0]), AM_INVALID_ARGUMENT,
                         "text: not UTF-8 at byte 2");
    am_test_expect_error(am_tokenizer_encode(t, TEXT("a"), &cut, NULL, &e[0]), AM_INVALID_ARGUMENT,
                         "pair: not UTF-8 at byte 1");
    am_test_expect_error(am_tokenizer_encode(ctc, surrogate, NULL, NULL, &e[0]), AM_INVALID_ARGUMENT,
                         "text: not UTF-8 at byte 0");
    const am_text texts[] = {TEXT("a"), bad};
    am_test_expect_error(am_tokenizer_encode_batch(t, texts, NULL, 2, NULL, e), AM_INVALID_ARGUMENT, "text 1");
    am_test_expect_error(am_tokenizer_encode(t, (am_text){"", ((size_t)1 << 30) + 1}, NULL, NULL, &e[0]),
                         AM_INVALID_ARGUMENT, "limit of 1073741824 bytes");
    am_tokenizer_close(ctc);
    am_tokenizer_close(t);
}

static void text_tokenizer__says_when_there_is_no_unknown_token(void **state)
{
    am_encoding e;
    am_tokenizer *t = parse("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":1},\"unk_token\":\"u\"}}");
    am_test_expect_error(am_tokenizer_encode(t, TEXT("b"), NULL, NULL, &e), AM_OUT_OF_RANGE,
                         "neither is the unknown token \"u\"");
    am_tokenizer_close(t);
    t = parse("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1]],\"unk_id\":null}}");
    am_test_expect_error(am_tokenizer_encode(t, TEXT("ab"), NULL, NULL, &e), AM_OUT_OF_RANGE, "");
    am_tokenizer_close(t);
}

static void text_tokenizer__gives_up_on_patterns_that_take_too_long(void **state)
{
    static const char json[] =
        "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0},\"unk_token\":\"u\"},\"pre_tokenizer\":{"
        "\"type\":\"Split\","
        "\"pattern\":{\"Regex\":\"^(a+)+$\"},\"behavior\":\"Isolated\",\"invert\":false}}";
    am_tokenizer *t = parse(json);
    am_encoding e;
    char text[64];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    am_test_expect_error(am_tokenizer_encode(t, (am_text){text, sizeof text}, NULL, NULL, &e), AM_OUT_OF_RANGE, "");
    am_tokenizer_close(t);
}

/* Ten steps of a thousand times the text each. */
static void text_tokenizer__limits_how_long_a_text_becomes(void **state)
{
    char json[20000], content[1001];
    size_t length = (size_t)snprintf(json, sizeof json,
                                     "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0},\"unk_token\":\"u\"},"
                                     "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[");
    memset(content, 'a', 1000);
    content[1000] = 0;
    for (int i = 0; i < 10; i++)
        length += (size_t)snprintf(json + length, sizeof json - length,
                                   "%s{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"%s\"}",
                                   i > 0 ? "," : "", content);
    snprintf(json + length, sizeof json - length, "]}}");
    am_tokenizer *t = parse(json);
    am_encoding e;
    am_test_expect_error(am_tokenizer_encode(t, TEXT("a"), NULL, NULL, &e), AM_OUT_OF_RANGE, "longer than the limit");
    am_test_expect_ok(am_tokenizer_encode(t, TEXT("b"), NULL, NULL, &e));
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

static void text_tokenizer__decodes_what_was_encoded(void **state)
{
    am_tokenizer *t = open_data("families/gpt2", AM_TOKENIZER_AUTO);
    am_encoding e;
    char *text;
    size_t length;
    am_text in = TEXT("Hello, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 world!\n");
    am_test_expect_ok(am_tokenizer_encode(t, in, NULL, NULL, &e));
    am_test_expect_ok(am_tokenizer_decode(t, e.ids, e.count, NULL, &text, &length));
    assert_int_equal(length, in.length);
    assert_string_equal(text, in.bytes);
    am_free(text);
    am_encoding_deinit(&e);
    am_test_expect_ok(am_tokenizer_decode(t, NULL, 0, NULL, &text, &length));
    assert_string_equal(text, "");
    am_free(text);
    am_test_expect_ok(am_tokenizer_decode(t, (const int32_t[]){-5, INT32_MAX, 1 << 20}, 3, NULL, &text, &length));
    assert_string_equal(text, "");
    am_free(text);
    am_tokenizer_close(t);
}

static void text_tokenizer__only_ctc_classes_decode_with_offsets(void **state)
{
    am_tokenizer *t = parse(words_json);
    am_ctc_decoding decoding;
    am_test_expect_error(am_tokenizer_decode_ctc(t, NULL, 0, NULL, &decoding), AM_UNSUPPORTED, "CTC");
    am_tokenizer_close(t);
    t = open_data("python/wav2vec2_ctc", AM_TOKENIZER_AUTO);
    am_test_expect_ok(am_tokenizer_decode_ctc(t, (const int32_t[]){11, 11, 0, 5, 4, 4, 9}, 7, NULL, &decoding));
    assert_true(same_text(decoding.text, "HE I"));
    assert_int_equal(decoding.character_count, 4);
    assert_int_equal(decoding.word_count, 2);
    assert_true(same_text(decoding.words[0].text, "HE"));
    assert_int_equal(decoding.words[1].start, 5); /* among the ids that are not skipped */
    am_ctc_decoding_deinit(&decoding);
    am_tokenizer_close(t);
}

/* ---- several threads ---- */

typedef struct job {
    const am_tokenizer *tokenizer;
    const am_encoding *expected;
    am_text text;
} job;

static void *encode_often(void *argument)
{
    const job *j = argument;
    for (int i = 0; i < 200; i++) {
        am_encoding e;
        am_status status = am_tokenizer_encode(j->tokenizer, j->text, NULL, NULL, &e);
        bool same =
            !status && e.count == j->expected->count && memcmp(e.ids, j->expected->ids, e.count * sizeof *e.ids) == 0;
        am_status_free(status);
        am_encoding_deinit(&e);
        if (!same) return argument;
    }
    return NULL;
}

static void text_tokenizer__serves_several_threads(void **state)
{
    am_tokenizer *t = open_data("families/t5", AM_TOKENIZER_AUTO);
    job j = {.tokenizer = t,
             .text = TEXT("The quick brown fox jumps \xef\xbd\x86ox \xe2\x82\xac over <extra_id_3> the lazy "
                          "dog's back, \xe4\xbd\xa0\xe5\xa5\xbd.")};
    am_encoding expected;
    pthread_t threads[4];
    am_test_expect_ok(am_tokenizer_encode(t, j.text, NULL, NULL, &expected));
    j.expected = &expected;
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, encode_often, &j), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    am_encoding_deinit(&expected);
    am_tokenizer_close(t);
}

/* ---- streams ---- */

static void text_tokenizer__streams_whole_characters(void **state)
{
    am_tokenizer *t = open_data("families/gpt2", AM_TOKENIZER_AUTO);
    am_text in = TEXT("a\xf0\x9f\x98\x80\xe4\xbd\xa0 b"), piece;
    am_encoding e;
    am_token_stream *stream;
    char text[64];
    size_t length = 0;
    am_test_expect_ok(am_tokenizer_encode(t, in, NULL, NULL, &e));
    assert_true(e.count > 6); /* the emoji is several tokens */
    am_test_expect_ok(am_token_stream_create(t, true, &stream));
    for (int round = 0; round < 2; round++, length = 0) {
        for (size_t i = 0; i < e.count; i++) {
            am_test_expect_ok(am_token_stream_feed(stream, e.ids[i], &piece));
            if (piece.length) assert_true(((unsigned char)piece.bytes[0] & 0xC0) != 0x80);
            memcpy(text + length, piece.bytes, piece.length);
            length += piece.length;
        }
        am_test_expect_ok(am_token_stream_flush(stream, &piece));
        assert_int_equal(piece.length, 0);
        assert_int_equal(length, in.length);
        assert_memory_equal(text, in.bytes, length);
    }
    am_token_stream_destroy(stream);
    am_token_stream_destroy(NULL);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

/* Bytes that no character follows are U+FFFD: at the end, and when too many of them wait. */
static void text_tokenizer__streams_broken_bytes(void **state)
{
    am_tokenizer *t = open_data("families/gpt2", AM_TOKENIZER_AUTO);
    am_token_stream *stream;
    am_text piece;
    int32_t lead = am_tokenizer_token_to_id(t, TEXT("\xc3\xb0")); /* byte F0 */
    assert_true(lead >= 0);
    am_test_expect_ok(am_token_stream_create(t, true, &stream));
    am_test_expect_ok(am_token_stream_feed(stream, lead, &piece));
    assert_int_equal(piece.length, 0);
    am_test_expect_ok(am_token_stream_feed(stream, 1 << 20, &piece));
    assert_int_equal(piece.length, 0);
    am_test_expect_ok(am_token_stream_flush(stream, &piece));
    assert_true(same_text(piece, "\xef\xbf\xbd"));
    size_t total = 0;
    for (int i = 0; i < 100; i++) {
        am_test_expect_ok(am_token_stream_feed(stream, lead, &piece));
        total += piece.length;
    }
    assert_true(total >= 3 * 60);
    am_token_stream_destroy(stream);
    am_tokenizer_close(t);
}

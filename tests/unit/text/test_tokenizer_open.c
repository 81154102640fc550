/* Opening: what is refused, and how; which class a directory gets; running out of memory. */
#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "text/tokenizer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_LEVEL "\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0,\"a\":1},\"unk_token\":\"u\"}"
#define BPE_MODEL                                                                                                      \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\xc4\xa0\":3},\"merges\":[\"a b\"]}"

static void expect_parse_error(const char *json, am_code code, const char *part)
{
    am_tokenizer *t = (am_tokenizer *)&t;
    am_test_expect_error(am_tokenizer_parse(json, strlen(json), "test.json", &t), code, part);
    assert_null(t);
}

/* {WORD_LEVEL, part} */
static void expect_part_error(const char *part, am_code code, const char *message)
{
    expect_parse_error(am_test_format("{" WORD_LEVEL ",%s}", part), code, message);
}

static void expect_open_error(const char *folder, am_tokenizer_mode mode, am_code code, const char *part)
{
    am_tokenizer *t;
    am_test_expect_error(am_tokenizer_open(folder, mode, &t), code, part);
    assert_null(t);
}

static void text_tokenizer_open__names_the_bad_field(void **state)
{
    expect_parse_error("", AM_INVALID_FILE, "test.json");
    expect_parse_error("[]", AM_INVALID_FILE, "expected an object, found an array");
    expect_parse_error("{}", AM_INVALID_FILE, "test.json: model: expected an object");
    expect_parse_error("{\"model\":{\"type\":\"Other\"}}", AM_INVALID_FILE, "model");
    expect_parse_error("{\"model\":{\"type\":\"WordLevel\",\"vocab\":[1],\"unk_token\":\"u\"}}", AM_INVALID_FILE,
                       "model.vocab");
    expect_parse_error("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":\"b\"},\"unk_token\":\"u\"}}",
                       AM_INVALID_FILE, "expected whole numbers as ids, found a string");
    expect_parse_error("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":-1},\"unk_token\":\"u\"}}", AM_INVALID_FILE,
                       "id -1 of \"a\"");
    expect_parse_error("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":99999999},\"unk_token\":\"u\"}}",
                       AM_INVALID_FILE, "id 99999999");
    expect_parse_error("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", AM_INVALID_FILE, "unk_token");
    expect_parse_error("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}}", AM_INVALID_FILE,
                       "model.merges: expected an array, found nothing");
    expect_parse_error("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}", AM_INVALID_FILE,
                       "\"a\" is not two tokens");
    expect_parse_error("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}", AM_INVALID_FILE,
                       "merge 0: \"b\" is not in the vocabulary");
    expect_parse_error("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[[\"a\",\"b\"]]}}",
                       AM_INVALID_FILE, "merge 0: \"ab\" is not in the vocabulary");
    expect_parse_error("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.1}}",
                       AM_UNSUPPORTED, "dropout");
    expect_parse_error("{\"model\":{\"type\":\"Unigram\",\"vocab\":{},\"unk_id\":0}}", AM_INVALID_FILE,
                       "model.vocab: expected an array");
    expect_parse_error("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]],\"unk_id\":0}}", AM_INVALID_FILE,
                       "[token, score]");
    expect_parse_error("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":7}}", AM_INVALID_FILE, "");
    expect_parse_error("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{},\"unk_token\":\"u\",\"continuing_"
                       "subword_prefix\":\"#\"}}",
                       AM_INVALID_FILE, "max_input_chars_per_word");
}

static void text_tokenizer_open__names_the_bad_part(void **state)
{
    expect_part_error("\"normalizer\":{\"type\":\"None\"}", AM_INVALID_FILE, "normalizer");
    expect_part_error("\"normalizer\":{\"type\":\"Prepend\"}", AM_INVALID_FILE, "prepend");
    expect_part_error("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":3}", AM_INVALID_FILE, "normalizers");
    expect_part_error("\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}",
                      AM_INVALID_FILE, "( without )");
    expect_part_error("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"A\"}", AM_INVALID_FILE, "");
    expect_part_error("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":3,\"behavior\":\"Isolated\",\"invert\":false}",
                      AM_INVALID_FILE, "pattern");
    expect_part_error("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":"
                      "\"Other\",\"invert\":false}",
                      AM_INVALID_FILE, "behavior");
    expect_part_error("\"pre_tokenizer\":{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"ab\"}", AM_INVALID_FILE,
                      "delimiter");
    expect_part_error("\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":1,\"cls\":2}", AM_INVALID_FILE, "sep");
    expect_part_error("\"decoder\":{\"type\":\"Sequence\"}", AM_INVALID_FILE, "decoders");
    expect_part_error("\"added_tokens\":3", AM_INVALID_FILE, "added_tokens: expected an array");
    expect_part_error("\"added_tokens\":[{}]", AM_INVALID_FILE, "content");
    expect_part_error("\"truncation\":{}", AM_INVALID_FILE, "truncation");
    expect_part_error("\"padding\":{\"strategy\":{}}", AM_INVALID_FILE, "padding");
}

static void text_tokenizer_open__refuses_what_nests_too_deep(void **state)
{
    am_buffer json = {0};
    am_tokenizer *t;
    am_buffer_append_string(&json, "{" WORD_LEVEL ",\"normalizer\":");
    for (int i = 0; i < 200; i++) am_buffer_append_string(&json, "{\"type\":\"Sequence\",\"normalizers\":[");
    am_buffer_append_string(&json, "{\"type\":\"NFC\"}");
    for (int i = 0; i < 200; i++) am_buffer_append_string(&json, "]}");
    am_buffer_append_string(&json, "}");
    am_status status = am_tokenizer_parse(am_buffer_text(&json), json.length, "test", &t);
    assert_true(status ? am_status_code(status) == AM_INVALID_FILE : t != NULL);
    am_status_free(status);
    am_tokenizer_close(t);
    am_buffer_deinit(&json);
}

static void text_tokenizer_open__says_which_files_are_missing_or_unsupported(void **state)
{
    const char *folder = am_test_temporary_directory();
    expect_open_error(am_test_format("%s/none", folder), AM_TOKENIZER_AUTO, AM_NOT_FOUND, "none");
    expect_open_error(folder, AM_TOKENIZER_FILE, AM_NOT_FOUND, "tokenizer.json");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_NOT_FOUND, "no tokenizer.json");
    am_test_write_text(folder, "tokenizer.model", "");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "tokenizer.model: expected a sentencepiece model");
    am_test_write_text(folder, "tekken.json", "{}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "tekken.json: config.pattern");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"Pop2PianoTokenizer\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_UNSUPPORTED, "Pop2PianoTokenizer");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"SiglipTokenizer\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_NOT_FOUND, "spiece.model");
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"Mine\",\"auto_map\":{\"AutoTokenizer\":[\"mine.Mine\",null]}}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_UNSUPPORTED, "Mine");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"Wav2Vec2CTCTokenizer\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_NOT_FOUND, "vocab.json");
    am_test_write_text(folder, "tokenizer_config.json", "[]");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE,
                      "tokenizer_config.json: expected an object, found an array");
    am_test_write_text(folder, "tokenizer_config.json", "{\"unk_token\":[]}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "unk_token");
}

static void expect_class(const char *folder, const char *config, const char *model_config, const char *expected)
{
    am_tokenizer *t;
    am_test_write_text(folder, "tokenizer_config.json", config);
    am_test_write_text(folder, "config.json", model_config);
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    assert_string_equal(am_tokenizer_class(t), expected);
    am_tokenizer_close(t);
}

static void text_tokenizer_open__chooses_the_class_as_auto_tokenizer_does(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer.json", "{" BPE_MODEL "}");
    expect_class(folder, "{}", "{}", "TokenizersBackend");
    expect_class(folder, "{}", "{\"model_type\":\"gpt2\"}", "GPT2Tokenizer");
    expect_class(folder, "{\"tokenizer_class\":\"GPT2TokenizerFast\"}", "{}", "GPT2Tokenizer");
    expect_class(folder, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}", "{}", "TokenizersBackend");
    expect_class(folder, "{\"tokenizer_class\":\"Unheard\"}", "{}", "TokenizersBackend");
    expect_class(folder, "{\"tokenizer_class\":\"LlamaTokenizer\"}", "{}", "LlamaTokenizer");
    am_test_write_text(folder, "tokenizer.json",
                       "{" BPE_MODEL ",\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_"
                       "offsets\":true,\"use_regex\":true}}");
    expect_class(folder, "{\"tokenizer_class\":\"LlamaTokenizerFast\"}", "{}", "TokenizersBackend");
}

static void text_tokenizer_open__reads_vocab_and_merges_files(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_tokenizer *t;
    am_encoding e;
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"GPT2Tokenizer\",\"add_bos_token\":true,\"bos_token\":\"b\","
                       "\"unk_token\":\"a\",\"eos_token\":\"a\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_NOT_FOUND, "no vocab.json");
    am_test_write_text(folder, "vocab.json", "{\"a\":0,\"b\":1,\"ab\":2}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_NOT_FOUND, "merges.txt");
    am_test_write_text(folder, "merges.txt", "#version: 0.2\na b c\n");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "merges.txt: line 2 is not two tokens");
    am_test_write_text(folder, "merges.txt", "#version: 0.2\r\na b\r\n");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    am_encode_options options = AM_ENCODE_OPTIONS;
    options.split_special_tokens = true;
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){"ab", 2}, NULL, &options, &e));
    assert_int_equal(e.count, 2);
    assert_int_equal(e.ids[0], 1);
    assert_int_equal(e.ids[1], 2);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"BertTokenizer\"}");
    am_test_write_text(folder, "vocab.txt", "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\nx\n##y\xff\n");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "vocab.txt: not UTF-8 at byte");
    am_test_write_text(folder, "vocab.txt", "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\nx\n##y\n");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    am_test_expect_ok(am_tokenizer_encode(t, (am_text){"XY", 2}, NULL, NULL, &e));
    assert_int_equal(e.count, 4);
    assert_int_equal(e.ids[2], 6);
    am_encoding_deinit(&e);
    am_tokenizer_close(t);
}

static void text_tokenizer_open__chooses_the_language_of_ctc_vocabularies(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_tokenizer *t;
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"Wav2Vec2CTCTokenizer\",\"target_lang\":\"fra\"}");
    am_test_write_text(folder, "vocab.json",
                       "{\"eng\":{\"<pad>\":0,\"a\":1},\"fra\":{\"<pad>\":0,\"<unk>\":1,\"b\":2,\"|\":3}}");
    am_test_expect_ok(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t));
    assert_int_equal(am_tokenizer_token_to_id(t, (am_text){"b", 1}), 2);
    assert_int_equal(am_tokenizer_special_id(t, "word_delimiter_token"), 3);
    assert_int_equal(am_tokenizer_special_id(t, "bos_token"), 4);
    am_tokenizer_close(t);
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"Wav2Vec2CTCTokenizer\",\"target_lang\":\"deu\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "language \"deu\"");
}

static void text_tokenizer_open__checks_what_classes_need(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer.json", "{" BPE_MODEL "}");
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"WhisperTokenizer\",\"language\":\"klingon\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "language \"klingon\"");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"WhisperTokenizer\",\"task\":\"sing\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "task \"sing\"");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"T5Tokenizer\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "model.vocab: expected an array");
    am_test_write_text(folder, "tokenizer.json",
                       "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"<pad>\",0],[\"</"
                       "s>\",0],[\"<unk>\",0]],\"unk_id\":2}}");
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":99999999999}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "extra_ids");
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"MBart50Tokenizer\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_UNSUPPORTED, "language codes");
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"tokenizer_class\":\"PegasusTokenizer\",\"unk_token\":\"<pad>\"}");
    expect_open_error(folder, AM_TOKENIZER_AUTO, AM_INVALID_FILE, "unknown token");
}

/* Opens, encodes and decodes with the n-th allocation failing, for every n. */
static void survive_failed_allocations(const char *name, am_tokenizer_mode mode)
{
    char path[1024];
    bool done = false;
    am_text pair = {"b <mask> \xc3\xa9", 11};
    am_encode_options options = AM_ENCODE_OPTIONS;
    options.truncation = AM_TRUNCATE_LONGEST_FIRST;
    options.max_length = 6;
    snprintf(path, sizeof path, "%s/%s", am_test_source_path("tests/unit/text/data/tokenizers"), name);
    for (int64_t n = 0; !done; n++) {
        am_tokenizer *t;
        am_encoding e = {0};
        char *text = NULL;
        size_t length;
        am_memory_fail_after(n);
        am_status status = am_tokenizer_open(path, mode, &t);
        if (!status)
            status = am_tokenizer_encode(t, (am_text){"The na\xc3\xafve dog's [MASK] 12!", 24}, &pair, &options, &e);
        if (!status) status = am_tokenizer_decode(t, e.ids, e.count, NULL, &text, &length);
        am_memory_fail_after(-1);
        done = !status;
        if (status && am_status_code(status) != AM_OUT_OF_MEMORY) fail_msg("%s", am_status_message(status));
        assert_true(n < 20000);
        assert_true(!done || n > 20);
        am_status_free(status);
        am_free(text);
        am_encoding_deinit(&e);
        am_tokenizer_close(t);
    }
}

static void text_tokenizer_open__survives_failed_allocations_of_wordpiece(void **state)
{
    survive_failed_allocations("families/bert_uncased", AM_TOKENIZER_AUTO);
    survive_failed_allocations("families/bert_uncased/legacy", AM_TOKENIZER_AUTO);
}

static void text_tokenizer_open__survives_failed_allocations_of_bpe(void **state)
{
    survive_failed_allocations("families/gpt2/legacy", AM_TOKENIZER_AUTO);
    survive_failed_allocations("families/clip", AM_TOKENIZER_AUTO);
    survive_failed_allocations("families/llama", AM_TOKENIZER_FILE);
    survive_failed_allocations("hub/llama_added_tokens_json", AM_TOKENIZER_AUTO);
}

static void text_tokenizer_open__survives_failed_allocations_of_unigram(void **state)
{
    survive_failed_allocations("families/albert", AM_TOKENIZER_AUTO);
    survive_failed_allocations("families/t5", AM_TOKENIZER_AUTO);
}

static void text_tokenizer_open__survives_failed_allocations_of_ctc(void **state)
{
    survive_failed_allocations("python/wav2vec2_ctc", AM_TOKENIZER_AUTO);
}

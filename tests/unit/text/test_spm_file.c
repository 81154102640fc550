/* sentencepiece model files that lie, and what the library refuses. */
#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "text/tokenizer/spm_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Fields of a message as bytes of a file. */
#define PIECE(text)  "\x0a" text
#define SCORE(bytes) "\x15" bytes
#define TYPE(number) "\x18" number
#define UNKNOWN      "\x0a\x09" PIECE("\x05<unk>") TYPE("\x02")
#define LETTER_A                                                                                                       \
    "\x0a\x0a" PIECE("\x01"                                                                                            \
                     "a") SCORE("\x00\x00\x80\xbf") TYPE("\x01")
#define BYTES(literal)          literal, sizeof literal - 1
#define expect_refused(b, part) expect_parse(BYTES(b), part)

static void expect_parse(const char *bytes, size_t length, const char *part)
{
    am_arena arena = {0};
    am_spm_file file;
    am_test_expect_error(am_spm_file_parse(&arena, (am_text){bytes, length}, "m.model", &file), AM_INVALID_FILE, part);
    am_arena_deinit(&arena);
}

static void text_spm_file__reads_pieces_and_settings(void **state)
{
    static const char bytes[] = UNKNOWN LETTER_A "\x12\x05\x18\x02\xc0\x02\x03"
                                                 "\x1a\x06\x12\x02xy\x18\x00";
    am_arena arena = {0};
    am_spm_file file;
    am_test_expect_ok(am_spm_file_parse(&arena, (am_text){BYTES(bytes)}, "m.model", &file));
    assert_int_equal(file.count, 2);
    assert_int_equal(file.pieces[0].type, AM_SPM_UNKNOWN);
    assert_memory_equal(file.pieces[1].text.bytes, "a", 1);
    assert_true(file.pieces[1].score == -1.0f);
    assert_int_equal(file.model_type, AM_SPM_BPE);
    assert_int_equal(file.unk_id, 3);
    assert_int_equal(file.eos_id, 2);
    assert_int_equal(file.normalizer.charsmap.length, 2);
    assert_false(file.normalizer.add_dummy_prefix);
    assert_true(file.normalizer.remove_extra_whitespaces);
    am_arena_deinit(&arena);
}

static void text_spm_file__names_the_byte_that_is_wrong(void **state)
{
    expect_parse("", 0, "m.model: expected a sentencepiece model, found no pieces");
    expect_refused("\x0a", "m.model: byte 1: expected a number, found the end of the message");
    expect_refused(UNKNOWN "\x0a\x7f"
                           "a",
                   "byte 12: a length of 127, where 1 bytes are left");
    expect_refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length of 18446744073709551615");
    expect_refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "at most 10 bytes");
    expect_refused("\x00", "byte 0: not the number of a field");
    expect_refused("\x0b", "field 1 has the wire type 3");
    expect_refused("\x08\x01", "byte 0: field 1 has the wire type 0, expected 2");
    expect_refused("\x0a\x02\x18\x09", "byte 2: a piece of the type 9");
    expect_refused("\x0a\x02\x18\x01", "byte 2: a piece without text");
    expect_refused("\x0a\x03" PIECE("\x01\xff"), "byte 4: text that is not UTF-8");
    expect_refused("\x0a\x08" PIECE("\x01"
                                    "a") SCORE("\x00\x00\xc0\x7f"),
                   "byte 5: a score that is not finite");
    expect_refused("\x0a\x08" PIECE("\x01"
                                    "a") SCORE("\x00\x00\x80\xff"),
                   "byte 5: a score that is not finite");
    expect_refused("\x0a\x05" PIECE("\x01"
                                    "a") "\x15\x00",
                   "expected 4 bytes, found the end of the message after 1");
    expect_refused(LETTER_A "\x12\x02\x18\x05", "byte 14: a model of the type 5");
}

/* Every prefix of a real file is refused or read, never more. */
static void text_spm_file__reads_no_further_than_the_end(void **state)
{
    size_t length;
    char *bytes =
        am_test_read_file(am_test_source_path("tests/unit/text/data/tokenizers/sentencepiece/char.model"), &length);
    for (size_t cut = 0; cut < length; cut++) {
        am_arena arena = {0};
        am_spm_file file;
        char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        am_status status = am_spm_file_parse(&arena, (am_text){part, cut}, "m.model", &file);
        if (status) assert_int_equal(am_status_code(status), AM_INVALID_FILE);
        am_status_free(status);
        am_arena_deinit(&arena);
        free(part);
    }
    free(bytes);
}

/* ---- what SentencePieceProcessor refuses, and what opens ---- */

static void expect_open(const char *bytes, size_t length, const char *part)
{
    const char *path = am_test_format("%s/m.model", am_test_temporary_directory());
    am_tokenizer *t;
    am_test_write_file(path, bytes, length);
    am_test_expect_error(am_tokenizer_open(path, AM_TOKENIZER_FILE, &t), AM_INVALID_FILE, part);
    assert_null(t);
}

static void text_spm_file__refuses_what_the_library_refuses(void **state)
{
    expect_open(BYTES(LETTER_A), "m.model: no unknown piece");
    expect_open(BYTES(UNKNOWN LETTER_A LETTER_A), "piece 2 \"a\": it is there twice");
    expect_open(BYTES(UNKNOWN "\x0a\x05" PIECE("\x01"
                                               "u") TYPE("\x02")),
                "piece 1 \"u\": a second unknown piece");
    expect_open(BYTES(UNKNOWN "\x0a\x0a" PIECE("\x06<0x41>") TYPE("\x06")), "a byte piece without byte_fallback");
    expect_open(BYTES(UNKNOWN "\x0a\x05" PIECE("\x01"
                                               "b") TYPE("\x06") "\x12\x03\x98\x02\x01"),
                "not a byte as");
    expect_open(BYTES(UNKNOWN LETTER_A "\x12\x03\x98\x02\x01"), "no piece for the byte <0x00>");
    expect_open(BYTES(UNKNOWN LETTER_A "\x1a\x03\x12\x01x"), "not a character map");
}

static void text_spm_file__names_a_long_piece_that_has_merges(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_buffer file = {0};
    am_tokenizer *t;
    am_buffer_append(&file, BYTES(UNKNOWN "\x0a\x83\x10\x0a\x80\x10"));
    for (int i = 0; i < 2048; i++) am_buffer_append_char(&file, 'a');
    am_buffer_append(&file, BYTES("\x12\x02\x18\x02"));
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"LlamaTokenizer\"}");
    am_test_write_file(am_test_format("%s/tokenizer.model", folder), file.bytes, file.length);
    am_test_expect_error(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t), AM_INVALID_FILE,
                         "piece 1 has 2048 bytes, more than the limit of 1024");
    am_buffer_deinit(&file);
}

/* ---- lists of ranks ---- */

static void expect_auto(const char *name, const char *content, am_code code, const char *part)
{
    const char *folder = am_test_temporary_directory();
    am_tokenizer *t;
    am_test_write_text(folder, "tokenizer_config.json", "{\"tokenizer_class\":\"TokenizersBackend\"}");
    am_test_write_text(folder, name, content);
    am_test_expect_error(am_tokenizer_open(folder, AM_TOKENIZER_AUTO, &t), code, part);
    assert_null(t);
}

static void text_spm_file__names_lines_of_tiktoken_that_are_wrong(void **state)
{
    expect_auto("tiktoken.model", "", AM_INVALID_FILE, "tiktoken.model: no tokens");
    expect_auto("tiktoken.model", "YQ== 0\nYg==\n", AM_INVALID_FILE,
                "tiktoken.model: line 2: expected a token in base 64");
    expect_auto("tiktoken.model", "YQ== x\n", AM_INVALID_FILE, "line 1");
    expect_auto("tiktoken.model", "YQ= 0\n", AM_INVALID_FILE, "\"YQ=\" is no token in base 64");
    expect_auto("tokenizer.model", "YQ== 0\nYg== 99999999\n", AM_INVALID_FILE, "id 99999999");
}

static void text_spm_file__names_fields_of_tekken_that_are_wrong(void **state)
{
    expect_auto("tekken.json", "{}", AM_INVALID_FILE, "tekken.json: config.pattern: expected a string");
    expect_auto("tekken.json", "{\"config\":{\"pattern\":\"a\"}}", AM_INVALID_FILE, "vocab: expected an array");
    expect_auto("tekken.json", "{\"config\":{\"pattern\":\"a\"},\"vocab\":[],\"special_tokens\":1}", AM_INVALID_FILE,
                "special_tokens: expected an array");
    expect_auto("tekken.json",
                "{\"config\":{\"pattern\":\"a\"},\"vocab\":[],\"special_tokens\":[{\"rank\":1,\"token_str\":\"x\"}]}",
                AM_INVALID_FILE, "special_tokens: expected the rank 0, found 1");
    expect_auto("tekken.json", "{\"config\":{\"pattern\":\"a\"},\"vocab\":[{}],\"special_tokens\":[]}", AM_INVALID_FILE,
                "token_bytes as a string");
}

/* ---- time and memory ---- */

static void text_spm_file__a_word_of_a_megabyte_takes_no_square_of_its_length(void **state)
{
    static const char *const names[] = {"unigram", "bpe", "char", "word"};
    size_t length = (size_t)1 << 20;
    char *text = malloc(length);
    memset(text, 'a', length);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        am_tokenizer *t;
        am_encoding e;
        const char *path = am_test_format("tests/unit/text/data/tokenizers/sentencepiece/%s.model", names[i]);
        am_test_expect_ok(am_tokenizer_open(am_test_source_path(path), AM_TOKENIZER_FILE, &t));
        am_test_expect_ok(am_tokenizer_encode(t, (am_text){text, length}, NULL, NULL, &e));
        assert_true(e.count > 0);
        am_encoding_deinit(&e);
        am_tokenizer_close(t);
    }
    free(text);
}

static void open_and_encode(const char *folder, am_tokenizer_mode mode)
{
    am_tokenizer *t;
    am_encoding e;
    char *text;
    size_t length;
    am_status status = am_tokenizer_open(folder, mode, &t);
    if (!status) {
        status = am_tokenizer_encode(t, (am_text){BYTES("<s> a 12, \xef\xac\x81xyz")}, NULL, NULL, &e);
        if (!status) {
            status = am_tokenizer_decode(t, e.ids, e.count, NULL, &text, &length);
            if (!status) am_free(text);
            am_encoding_deinit(&e);
        }
        am_tokenizer_close(t);
    }
    if (status) assert_int_equal(am_status_code(status), AM_OUT_OF_MEMORY);
    am_status_free(status);
}

static void text_spm_file__survives_running_out_of_memory(void **state)
{
    static const char *const paths[] = {"sentencepiece/unigram.model",
                                        "sentencepiece/bpe_unused.model",
                                        "legacy/nllb",
                                        "legacy/tekken",
                                        "python/cpm",
                                        "python/siglip",
                                        "python/speecht5"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = am_test_source_path(am_test_format("tests/unit/text/data/tokenizers/%s", paths[i]));
        am_tokenizer_mode mode = i < 2 ? AM_TOKENIZER_FILE : AM_TOKENIZER_AUTO;
        for (int64_t n = 0; n < 4000; n += n < 60 ? 1 : 37) {
            am_memory_fail_after(n);
            open_and_encode(path, mode);
            am_memory_fail_after(-1);
        }
    }
}

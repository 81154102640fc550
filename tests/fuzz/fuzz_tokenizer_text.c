/* A text, and options in its first two bytes, over small tokenizers of every model. */
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADDED                                                                                                          \
    "\"added_tokens\":[{\"id\":90,\"content\":\"<s>\",\"special\":true},{\"id\":91,\"content\":\"[M]\","               \
    "\"lstrip\":true,\"rstrip\":true},"                                                                                \
    "{\"id\":92,\"content\":\"word\",\"single_word\":true,\"normalized\":true}]"
#define CJK       "\xe4\xbd\xa0"
#define UNDERLINE "\xe2\x96\x81"

static const char *const sources[] = {
    "{" ADDED ",\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"u\":0,\"a\":1,\"##a\":2,\"ab\":3,\"" CJK
    "\":4,\"!\":5,\"e\":6},\"unk_token\":\"u\","
    "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":8},"
    "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_"
    "accents\":null,\"lowercase\":true},"
    "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\","
    "\"cleanup\":true}}",
    "{" ADDED ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"\xc4\xa0\":2,\"ab\":3,\"\xc4\xa0"
    "ab\":4,\"\xc3\xa2\":5,\"1\":6},"
    "\"merges\":[\"a b\",\"\xc4\xa0 ab\"]},\"normalizer\":{\"type\":\"NFC\"},"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":"
    "true},"
    "\"post_processor\":{\"type\":\"RobertaProcessing\",\"sep\":[\"b\",1],\"cls\":[\"a\",0],\"trim_offsets\":"
    "true,\"add_prefix_space\":true},"
    "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}"
    "}",
    "{" ADDED ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"<unk>\":0,\"" UNDERLINE "\":1,\"a\":2,\"" UNDERLINE
    "a\":3,\"<0x0A>\":4,\"<0xE4>\":5},"
    "\"merges\":[\"" UNDERLINE " a\"],\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true},"
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"" UNDERLINE "\"},"
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" UNDERLINE "\"}]},"
    "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":"
    "\"" UNDERLINE "\"},\"content\":\" \"},"
    "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}}",
    "{" ADDED ",\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"<unk>\",0],[\"" UNDERLINE
    "\",-2],[\"a\",-3],[\"" UNDERLINE "a\",-4],[\"aa\",-3.5]],"
    "\"unk_id\":0},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":"
    "\"StripAccents\"},{\"type\":\"Lowercase\"},"
    "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}]},"
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":"
    "\"Punctuation\",\"behavior\":\"Contiguous\"},"
    "{\"type\":\"Metaspace\",\"replacement\":\"" UNDERLINE "\",\"prepend_scheme\":\"first\",\"split\":true}]},"
    "\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"" UNDERLINE
    "\",\"prepend_scheme\":\"first\",\"split\":true}}",
    "{" ADDED ",\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"u\":0,\"a\":1},\"unk_token\":\"u\"},"
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"},{\"type\":\"NFKC\"},{\"type\":"
    "\"ByteLevel\"}]},"
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"UnicodeScripts\"},{\"type\":"
    "\"Digits\",\"individual_digits\":true},"
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}"
    "{1,3}|\\\\s+(?!\\\\S)|\\\\s+\"},"
    "\"behavior\":\"MergedWithNext\",\"invert\":false}]}}",
};

enum { COUNT = sizeof sources / sizeof sources[0] };

static void require(bool holds)
{
    if (!holds) abort();
}

static void stream_ids(const am_tokenizer *t, const am_encoding *e)
{
    am_token_stream *stream;
    am_text piece;
    am_status status = am_token_stream_create(t, true, &stream);
    require(!status);
    for (size_t i = 0; i < e->count && !status; i++) {
        status = am_token_stream_feed(stream, e->ids[i], &piece);
        if (!status) require(am_utf8_valid(piece.bytes, piece.length, NULL));
    }
    if (!status) status = am_token_stream_flush(stream, &piece);
    require(!status);
    am_token_stream_destroy(stream);
}

/* Special tokens that a post-processor above adds. */
enum { MOST_SPECIAL = 2 };

/* The most tokens that may be left, given the fewest that max_length has room for; 0: any number. As the tokenizers
   package does it, nothing is cut where there is no room for the special tokens, and all that is cut off is one part
   where there is room for them alone. */
static uint64_t most_tokens(const am_encode_options *options, uint64_t fewest)
{
    uint64_t most = options->truncation ? options->max_length : 0;
    return options->add_special_tokens && most < fewest ? 0 : most;
}

static void check_part(const am_encoding *e, am_text text, uint64_t most)
{
    require(!most || e->count <= most);
    for (size_t i = 0; i < e->count; i++) {
        require(e->byte_offsets[i].start <= e->byte_offsets[i].end && e->byte_offsets[i].end <= text.length);
        require(e->offsets[i].start <= e->offsets[i].end && e->offsets[i].end <= e->byte_offsets[i].end);
        require(am_utf8_valid(e->tokens[i].bytes, e->tokens[i].length, NULL));
    }
}

static void run(const am_tokenizer *t, am_text text, const am_encode_options *options)
{
    am_encoding e;
    char *decoded;
    size_t length;
    am_status status = am_tokenizer_encode(t, text, NULL, options, &e);
    if (!status) {
        check_part(&e, text, most_tokens(options, MOST_SPECIAL));
        for (size_t i = 0; i < e.overflowing_count; i++)
            check_part(&e.overflowing[i], text, most_tokens(options, MOST_SPECIAL + 1));
        status = am_tokenizer_decode(t, e.ids, e.count, NULL, &decoded, &length);
        require(!status && am_utf8_valid(decoded, length, NULL));
        am_free(decoded);
        stream_ids(t, &e);
    } else {
        require(am_status_code(status) == AM_INVALID_ARGUMENT);
    }
    am_status_free(status);
    am_encoding_deinit(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static am_tokenizer *tokenizers[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        if (!tokenizers[i]) require(!am_tokenizer_parse(sources[i], strlen(sources[i]), "fuzz", &tokenizers[i]));
    if (size < 2) return 0;
    am_encode_options options = {.add_special_tokens = data[0] & 1,
                                 .split_special_tokens = data[0] & 2,
                                 .truncation = (am_truncation)(data[0] >> 2 & 1),
                                 .truncation_side = data[0] & 8 ? AM_SIDE_LEFT : AM_SIDE_RIGHT,
                                 .max_length = data[1] & 15,
                                 .stride = data[1] >> 6};
    for (size_t i = 0; i < COUNT; i++) run(tokenizers[i], (am_text){(const char *)data + 2, size - 2}, &options);
    return 0;
}

/* Every tokenizer that answers were recorded of. The first two bytes choose it; then follow, with zero bytes between,
   arguments of its call as a JSON object, a text (any bytes) and a pair. */
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "text/call_options.h"
#include "text/tokenizer.h"

#include "fuzz_data.h"
#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHOICE_BYTES = 2, MOST_PADDING = 1 << 12, MOST_WORDS = 64 };

static void require(bool holds)
{
    if (!holds) abort();
}

/* The tokenizer that two bytes choose; null: of a folder that holds none. */
static const am_tokenizer *choose(const uint8_t *bytes)
{
    static const char *const kinds[] = {"families", "hub", "legacy", "python", "synthetic"};
    static fuzz_paths paths;
    static am_tokenizer **opened;
    for (size_t i = 0; !opened && i < sizeof kinds / sizeof *kinds; i++) {
        char folder[512];
        snprintf(folder, sizeof folder, FUZZ_DATA "text/data/tokenizers/%s", kinds[i]);
        fuzz_list(folder, &paths);
    }
    if (!opened) opened = calloc(paths.count, sizeof *opened);
    require(opened != NULL);
    size_t number = fuzz_choose(&paths, bytes);
    am_tokenizer_mode mode = strstr(paths.items[number], "/synthetic/") ? AM_TOKENIZER_FILE : AM_TOKENIZER_AUTO;
    if (!opened[number]) am_status_free(am_tokenizer_open(paths.items[number], mode, &opened[number]));
    return opened[number];
}

static void check_decoded(const am_tokenizer *t, const am_encoding *e, const am_decode_options *options)
{
    char *text;
    size_t length;
    am_status status = am_tokenizer_decode(t, e->ids, e->count, options, &text, &length);
    if (!status) require(am_utf8_valid(text, length, NULL) && text[length] == 0);
    am_status_free(status);
    am_free(text);
}

static void stream(const am_tokenizer *t, const am_encoding *e)
{
    am_token_stream *stream;
    am_text piece;
    am_status status = am_token_stream_create(t, false, &stream);
    for (size_t i = 0; i < e->count && !status; i++) {
        status = am_token_stream_feed(stream, e->ids[i], &piece);
        if (!status) require(am_utf8_valid(piece.bytes, piece.length, NULL));
    }
    if (!status) status = am_token_stream_flush(stream, &piece);
    am_status_free(status);
    am_token_stream_destroy(stream);
}

/* Parts that truncation cut off say, as the tokenizers package has it, that all is of the first text. */
static void check(const am_tokenizer *t, const am_encoding *e, const am_text *texts)
{
    size_t length = texts[texts[1].length > texts[0].length].length;
    for (size_t i = 0; i < e->count; i++) {
        require(e->ids[i] < am_tokenizer_id_limit(t) || !am_tokenizer_is_fast(t));
        require(am_utf8_valid(e->tokens[i].bytes, e->tokens[i].length, NULL));
        require(e->byte_offsets[i].start <= e->byte_offsets[i].end && e->offsets[i].start <= e->offsets[i].end);
        require(e->byte_offsets[i].end <= length && e->offsets[i].end <= e->byte_offsets[i].end);
    }
    for (size_t i = 0; i < e->overflowing_count; i++) check(t, &e->overflowing[i], texts);
}

/* What a tokenizer keeps of a text must not change what it answers next. */
static void encode_again(const am_tokenizer *t, const am_text *texts, const am_encode_options *options,
                         const am_encoding *first)
{
    am_encoding again[2] = {{0}, {0}};
    const am_text twice[] = {texts[0], texts[0]}, pairs[] = {texts[1], texts[1]};
    am_status status = am_tokenizer_encode_batch(t, twice, texts[1].length ? pairs : NULL, 2, options, again);
    require(!status);
    for (int i = 0; i < 2; i++) {
        require(again[i].count == first->count);
        require(!first->count || memcmp(again[i].ids, first->ids, first->count * sizeof *first->ids) == 0);
        am_encoding_deinit(&again[i]);
    }
}

static void encode_words(const am_tokenizer *t, const am_text *texts, const am_encode_options *options)
{
    static const int32_t boxes[MOST_WORDS][4];
    am_text words[MOST_WORDS], rest = texts[0];
    size_t count = 0;
    for (; count < MOST_WORDS && rest.length; count++) {
        const char *blank = memchr(rest.bytes, ' ', rest.length);
        words[count] = (am_text){rest.bytes, blank ? (size_t)(blank - rest.bytes) : rest.length};
        size_t used = words[count].length + (blank ? 1 : 0);
        rest = (am_text){rest.bytes + used, rest.length - used};
    }
    am_encoding e = {0};
    am_status_free(am_tokenizer_encode_words(t, words, count, NULL, 0, options, &e));
    am_encoding_deinit(&e);
    am_layout_encoding layout = {0};
    am_word_marks marks = {.boxes = boxes, .xpaths = words};
    am_status_free(
        am_tokenizer_encode_layout(t, texts[1].length ? &texts[1] : NULL, words, count, &marks, options, &layout));
    am_layout_encoding_deinit(&layout);
}

static void use(const am_tokenizer *t, const am_text *texts, const am_encode_options *options)
{
    am_encoding e = {0};
    am_status status = am_tokenizer_encode(t, texts[0], texts[1].length ? &texts[1] : NULL, options, &e);
    bool valid =
        am_utf8_valid(texts[0].bytes, texts[0].length, NULL) && am_utf8_valid(texts[1].bytes, texts[1].length, NULL);
    require(valid || am_status_code(status) == AM_INVALID_ARGUMENT);
    require(!status || am_status_code(status) != AM_INTERNAL);
    if (!status) {
        static const am_decode_options all = {.clean_up = 1};
        check(t, &e, texts);
        check_decoded(t, &e, NULL);
        check_decoded(t, &e, &all);
        stream(t, &e);
        encode_again(t, texts, options, &e);
    }
    am_encoding_deinit(&e);
    am_status_free(status);
    if (valid) encode_words(t, texts, options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[3];
    am_json_document *arguments = NULL;
    am_encode_options options = AM_ENCODE_OPTIONS;
    if (size < CHOICE_BYTES) return 0;
    const am_tokenizer *t = choose(data);
    fuzz_cut(data + CHOICE_BYTES, size - CHOICE_BYTES, parts, 3);
    am_status status = parts[0].length ? am_json_parse(parts[0].bytes, parts[0].length, "call", &arguments) : NULL;
    if (!status && arguments) status = am_call_options_check(am_json_root(arguments));
    if (!status && arguments) options = am_call_options_read(am_json_root(arguments));
    if (options.padding == AM_PAD_MAX_LENGTH && options.max_length > MOST_PADDING) options.max_length = MOST_PADDING;
    if (options.pad_to_multiple_of > MOST_PADDING) options.pad_to_multiple_of = MOST_PADDING;
    if (t) use(t, parts + 1, &options);
    am_json_close(arguments);
    am_status_free(status);
    return 0;
}

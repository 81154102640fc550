/* A tokenizer.json; what opens encodes and decodes fixed texts. */
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {
    "Hello, world! I'm  here\n\t12 <s>[MASK]</s>",
    ("na\xc3\xafve \xe4\xbd\xa0\xe5\xa5\xbd \xe2\x96\x81\xe2\x96\x81 \xf0\x9f\x98\x80 e\xcc\x81 \xef\xac\x81 "
     "<0x41>"),
    "",
};

static void require(bool holds)
{
    if (!holds) abort();
}

static void check(const am_encoding *e, size_t text_length)
{
    for (size_t i = 0; i < e->count; i++) {
        require(am_utf8_valid(e->tokens[i].bytes, e->tokens[i].length, NULL));
        if (e->byte_offsets[i].end <= text_length) require(e->offsets[i].end <= e->byte_offsets[i].end);
    }
    for (size_t i = 0; i < e->overflowing_count; i++) check(&e->overflowing[i], text_length);
}

static void decode(const am_tokenizer *t, const am_encoding *e)
{
    char *text;
    size_t length;
    am_status status = am_tokenizer_decode(t, e->ids, e->count, NULL, &text, &length);
    if (!status) require(am_utf8_valid(text, length, NULL) && text[length] == 0);
    am_status_free(status);
    am_free(text);
}

static void encode(const am_tokenizer *t, const char *text, const am_encode_options *options)
{
    am_encoding e;
    am_text pair = {texts[0], strlen(texts[0])};
    am_status status =
        am_tokenizer_encode(t, (am_text){text, strlen(text)}, options->as_in_file ? &pair : NULL, options, &e);
    if (!status) {
        check(&e, strlen(text) > pair.length ? strlen(text) : pair.length);
        decode(t, &e);
    }
    am_status_free(status);
    am_encoding_deinit(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_tokenizer *t;
    am_status status = am_tokenizer_parse((const char *)data, size, "fuzz", &t);
    require((status == NULL) == (t != NULL));
    am_status_free(status);
    for (size_t i = 0; t && i < sizeof texts / sizeof texts[0]; i++) {
        am_encode_options options = AM_ENCODE_OPTIONS;
        encode(t, texts[i], &options);
        options.as_in_file = true;
        encode(t, texts[i], &options);
        options = (am_encode_options){.truncation = AM_TRUNCATE_LONGEST_FIRST, .max_length = 4, .stride = 1};
        encode(t, texts[i], &options);
    }
    am_tokenizer_close(t);
    return 0;
}

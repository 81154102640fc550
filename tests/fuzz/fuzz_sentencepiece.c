/* Any bytes as a sentencepiece model, as tokenizer.model of a directory (tiktoken's list of ranks where it is none) and
   as its tekken.json; what opens encodes and decodes fixed texts. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include "fuzz_file.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {
    "Hello,  world 12, a<s>bab</s> aaaa\n\t\xef\xac\x81",
    "na\xc3\xafve \xe4\xbd\xa0 \xe2\x96\x81\xe2\x96\x81 \xf0\x9f\x98\x80 e\xcc\x81 \xef\xbc\xa1 <0x41>",
    "",
};

static void require(bool holds)
{
    if (!holds) abort();
}

/* A directory in which `name` is a link to the input. */
static const char *directory_with(const char *name, const char *target)
{
    static char folder[] = "/tmp/fuzz_sentencepieceXXXXXX";
    static bool made;
    char path[sizeof folder + 64];
    if (!made) {
        require(mkdtemp(folder) != NULL);
        made = true;
        snprintf(path, sizeof path, "%s/tokenizer_config.json", folder);
        FILE *file = fopen(path, "w");
        require(file && fputs("{\"tokenizer_class\":\"TokenizersBackend\"}", file) >= 0 && fclose(file) == 0);
    }
    snprintf(path, sizeof path, "%s/tokenizer.model", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/tekken.json", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    require(symlink(target, path) == 0);
    return folder;
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

static void encode(const am_tokenizer *t, am_text text)
{
    am_encoding e;
    am_status status = am_tokenizer_encode(t, text, NULL, NULL, &e);
    if (status) {
        require(am_status_code(status) == AM_OUT_OF_RANGE);
        am_status_free(status);
        return;
    }
    for (size_t i = 0; i < e.count; i++) {
        require(am_utf8_valid(e.tokens[i].bytes, e.tokens[i].length, NULL));
        require(e.byte_offsets[i].start <= e.byte_offsets[i].end);
        if (e.byte_offsets[i].end <= text.length) require(e.offsets[i].end <= e.byte_offsets[i].end);
    }
    decode(t, &e);
    am_encoding_deinit(&e);
}

static void run(const char *path, am_tokenizer_mode mode)
{
    am_tokenizer *t;
    am_status status = am_tokenizer_open(path, mode, &t);
    require((status == NULL) == (t != NULL));
    am_status_free(status);
    for (size_t i = 0; t && i < sizeof texts / sizeof *texts; i++) encode(t, (am_text){texts[i], strlen(texts[i])});
    am_tokenizer_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *file = fuzz_file(data, size);
    run(file, AM_TOKENIZER_FILE);
    run(directory_with("tokenizer.model", file), AM_TOKENIZER_AUTO);
    run(directory_with("tekken.json", file), AM_TOKENIZER_AUTO);
    return 0;
}

/* Any bytes as the files of a tokenizer that transformers writes in Python. The first byte chooses the class; then
   follow, with zero bytes between, the vocabulary, the merges, fields of tokenizer_config.json, and a text. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const classes[] = {"ByT5Tokenizer",
                                      "MyT5Tokenizer",
                                      "PerceiverTokenizer",
                                      "DiaTokenizer",
                                      "CTRLTokenizer",
                                      "PhobertTokenizer",
                                      "BlenderbotSmallTokenizer",
                                      "BioGptTokenizer",
                                      "FSMTTokenizer",
                                      "XLMTokenizer",
                                      "FlaubertTokenizer",
                                      "BertTokenizerLegacy",
                                      "RoCBertTokenizer",
                                      "BertJapaneseTokenizer",
                                      "ProphetNetTokenizer",
                                      "EsmTokenizer",
                                      "MgpstrTokenizer",
                                      "VitsTokenizer",
                                      "ClvpTokenizer",
                                      "Wav2Vec2PhonemeCTCTokenizer",
                                      "CpmAntTokenizer",
                                      "GPTNeoXJapaneseTokenizer",
                                      "RoFormerTokenizer"};

/* Files that hold the vocabulary, and those that hold the merges. */
static const char *const vocabularies[] = {"vocab.json",           "vocab.txt",      "vocab-src.json", "vocab-tgt.json",
                                           "prophetnet.tokenizer", "byte_maps.json", "emoji.json"};
static const char *const merges[] = {"merges.txt", "bpe.codes", "word_shape.json", "word_pronunciation.json",
                                     "jieba_dict.txt"};

enum { PARTS = 4, VOCABULARIES = sizeof vocabularies / sizeof *vocabularies, MERGES = sizeof merges / sizeof *merges };

static char directory[] = "/tmp/anymodel_fuzz_XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void clean_up(void)
{
    for (size_t i = 0; i < VOCABULARIES; i++) unlink(path_of(vocabularies[i]));
    for (size_t i = 0; i < MERGES; i++) unlink(path_of(merges[i]));
    unlink(path_of("tokenizer_config.json"));
    rmdir(directory);
}

static void write_file(const char *name, const char *before, am_text text)
{
    FILE *file = fopen(path_of(name), "wb");
    if (!file || fputs(before, file) < 0) abort();
    if (text.length && fwrite(text.bytes, 1, text.length, file) != text.length) abort();
    if (fclose(file) != 0) abort();
}

static void write_config(const char *class, am_text fields)
{
    char before[256];
    snprintf(before, sizeof before,
             "{\"tokenizer_class\":\"%s\",\"do_phonemize\":false,\"phonemize\":false,\"langs\":[\"fr\",\"de\"]%s",
             class, fields.length ? "," : "}");
    write_file("tokenizer_config.json", before, fields);
}

static void use(const am_tokenizer *t, am_text text)
{
    am_encoding e;
    char *decoded;
    size_t length;
    am_status status = am_tokenizer_encode(t, text, &text, NULL, &e);
    if (!status) {
        for (size_t i = 0; i < e.count; i++)
            if (e.ids[i] >= am_tokenizer_id_limit(t)) abort();
        status = am_tokenizer_decode(t, e.ids, e.count, NULL, &decoded, &length);
        if (!status && !am_utf8_valid(decoded, length, NULL)) abort();
        if (!status) am_free(decoded);
        am_encoding_deinit(&e);
    }
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    am_text parts[PARTS] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    am_tokenizer *t;
    if (size == 0) return 0;
    if (!begun && !mkdtemp(directory)) abort();
    if (!begun) atexit(clean_up);
    begun = true;
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    for (size_t i = 0; i < PARTS && at <= end; i++) {
        const char *zero = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
        parts[i] = (am_text){at, (size_t)((zero && i + 1 < PARTS ? zero : end) - at)};
        at += parts[i].length + 1;
    }
    for (size_t i = 0; i < VOCABULARIES; i++) write_file(vocabularies[i], "", parts[0]);
    for (size_t i = 0; i < MERGES; i++) write_file(merges[i], "", parts[1]);
    write_config(classes[data[0] % (sizeof classes / sizeof *classes)], parts[2]);
    am_status status = am_tokenizer_open(directory, AM_TOKENIZER_AUTO, &t);
    if (!status) use(t, parts[3]);
    if (!status) am_tokenizer_close(t);
    am_status_free(status);
    return 0;
}

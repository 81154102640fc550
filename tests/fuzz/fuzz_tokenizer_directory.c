/* Any bytes as the files of a tokenizer, taken as AutoTokenizer takes them: with zero bytes between,
   tokenizer_config.json, tokenizer.json, a vocabulary, merges.txt, special_tokens_map.json, added_tokens.json,
   config.json, and a text. */
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 8, TEXT = 7, PARTS };

static void require(bool holds)
{
    if (!holds) abort();
}

static void use(const am_tokenizer *t, am_text text)
{
    static const char *const names[] = {"bos_token",  "eos_token",   "unk_token",   "pad_token", "cls_token",
                                        "mask_token", "image_token", "audio_token", "sep_token"};
    am_encoding e = {0};
    char *decoded = NULL;
    size_t length;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        am_text token = am_tokenizer_special_token(t, names[i]);
        require(am_tokenizer_special_id(t, names[i]) < am_tokenizer_id_limit(t));
        require(!token.length || am_utf8_valid(token.bytes, token.length, NULL));
    }
    am_status status = am_tokenizer_encode(t, text, &text, NULL, &e);
    for (size_t i = 0; i < e.count; i++) require(am_utf8_valid(e.tokens[i].bytes, e.tokens[i].length, NULL));
    if (!status) status = am_tokenizer_decode(t, e.ids, e.count, NULL, &decoded, &length);
    require(!decoded || am_utf8_valid(decoded, length, NULL));
    am_free(decoded);
    am_encoding_deinit(&e);
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[FILES] = {
        "tokenizer_config.json",   "tokenizer.json",    "vocab.json",  "merges.txt",
        "special_tokens_map.json", "added_tokens.json", "config.json", "vocab.txt"};
    am_text parts[PARTS], files[FILES];
    am_tokenizer *t;
    fuzz_cut(data, size, parts, PARTS);
    memcpy(files, parts, TEXT * sizeof *parts);
    files[TEXT] = parts[2];
    am_mount *mount = fuzz_mount(names, files, FILES);
    am_status status = am_tokenizer_open(am_mount_path(mount), AM_TOKENIZER_AUTO, &t);
    require((status == NULL) == (t != NULL) && (!status || am_status_code(status) != AM_INTERNAL));
    if (t) use(t, parts[TEXT]);
    am_tokenizer_close(t);
    am_status_free(status);
    am_unmount(mount);
    return 0;
}

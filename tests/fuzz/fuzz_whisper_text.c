/* normalizer.json of Whisper and, behind the first zero byte, a text for its normalizers, whose bytes are also ids that
   are decoded with times. */
#include "base/memory.h"
#include "base/utf8.h"
#include "text/whisper_decode.h"

#include "fuzz_data.h"
#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_IDS = 256 };

static void require(bool holds)
{
    if (!holds) abort();
}

static void check(am_status status, am_buffer *out)
{
    require(!status || am_status_code(status) != AM_INTERNAL);
    if (!status) require(am_utf8_valid(am_buffer_text(out), out->length, NULL));
    am_status_free(status);
    am_buffer_deinit(out);
}

static void normalize(const am_whisper_normalizer *normalizer, am_text text)
{
    am_buffer out = {0};
    check(am_whisper_normalize_english(normalizer, text, &out), &out);
    check(am_whisper_normalize_basic(normalizer, text, false, &out), &out);
    check(am_whisper_normalize_basic(normalizer, text, true, &out), &out);
}

/* Ids by their distance from the first timestamp where the byte's upper bit is set, else from the first token. */
static void decode(const am_whisper_normalizer *normalizer, am_text bytes)
{
    static am_tokenizer *t;
    static const char path[] = FUZZ_DATA "text/data/tokenizers/families/whisper";
    int32_t ids[MOST_IDS];
    am_buffer out = {0};
    am_arena arena = {0};
    am_whisper_segment *segments;
    size_t count = bytes.length < MOST_IDS ? bytes.length : MOST_IDS, found;
    if (!t) require(!am_tokenizer_open(path, AM_TOKENIZER_AUTO, &t));
    int32_t first_time = am_tokenizer_token_to_id(t, (am_text){"<|notimestamps|>", 16}) + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned byte = (unsigned char)bytes.bytes[i];
        ids[i] = byte & 128 ? first_time + (int32_t)(byte & 127) * 20 : (int32_t)(byte * byte / 16);
    }
    am_whisper_decode_options options = AM_WHISPER_DECODE_OPTIONS;
    options.times = true;
    check(am_whisper_decode(t, ids, count, &options, &out), &out);
    options = (am_whisper_decode_options){.skip_special_tokens = true, .clean_up = -1, .time_precision = 0.02};
    options.normalizer = normalizer;
    options.normalize = true;
    check(am_whisper_decode(t, ids, count, &options, &out), &out);
    am_status status = am_whisper_segments(t, ids, count, 0.02, &arena, &segments, &found);
    for (size_t i = 0; !status && i < found; i++)
        require(am_utf8_valid(segments[i].text.bytes, segments[i].text.length, NULL));
    am_status_free(status);
    am_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"normalizer.json"};
    am_text parts[2];
    am_whisper_normalizer *normalizer;
    fuzz_cut(data, size, parts, 2);
    am_mount *mount = fuzz_mount(names, parts, 1);
    am_status status = am_whisper_normalizer_open(am_mount_path(mount), &normalizer);
    if (!status && am_utf8_valid(parts[1].bytes, parts[1].length, NULL)) normalize(normalizer, parts[1]);
    if (!status) decode(normalizer, parts[1]);
    if (!status) am_whisper_normalizer_close(normalizer);
    am_status_free(status);
    am_unmount(mount);
    return 0;
}

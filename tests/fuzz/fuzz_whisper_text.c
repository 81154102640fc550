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

/* The normalizer of a file, null where that is wrong. Its patterns take 30 ms: those without a file, and of an empty
   object, are kept. */
static am_whisper_normalizer *open_normalizer(am_text file, bool *is_kept)
{
    static const char *const names[] = {"normalizer.json"};
    static am_whisper_normalizer *kept[2];
    am_whisper_normalizer *normalizer = NULL;
    bool is_object = file.length == 2 && file.bytes[0] == '{' && file.bytes[1] == '}';
    *is_kept = !file.length || is_object;
    if (*is_kept && kept[is_object]) return kept[is_object];
    am_mount *mount = fuzz_mount(names, &file, file.length ? 1 : 0);
    am_status_free(am_whisper_normalizer_open(am_mount_path(mount), &normalizer));
    am_unmount(mount);
    if (*is_kept) kept[is_object] = normalizer;
    return normalizer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[2];
    bool is_kept;
    fuzz_cut(data, size, parts, 2);
    am_whisper_normalizer *normalizer = open_normalizer(parts[0], &is_kept);
    if (!normalizer) return 0;
    if (am_utf8_valid(parts[1].bytes, parts[1].length, NULL)) normalize(normalizer, parts[1]);
    decode(normalizer, parts[1]);
    if (!is_kept) am_whisper_normalizer_close(normalizer);
    return 0;
}

#include "tasks/whisper_fallback.h"

#include "base/memory.h"

#include <math.h>

#include <zlib.h>

static am_status read_threshold(am_json options, am_json file, const char *name, double *out)
{
    am_json given = am_json_get(options, name);
    if (am_json_kind_of(given) <= AM_JSON_NULL) given = am_json_get(file, name);
    *out = am_json_real(given, NAN);
    if (am_json_kind_of(given) <= AM_JSON_NULL || !isnan(*out)) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option %s: expected a number", name);
}

static am_status add_temperature(am_json value, am_whisper_fallback *out)
{
    double temperature = am_json_real(value, NAN);
    if (!(temperature >= 0.0) || isinf(temperature))
        return am_error(AM_INVALID_ARGUMENT, "option temperature: expected numbers of 0 at least");
    if (out->count == AM_WHISPER_TEMPERATURES)
        return am_error(AM_INVALID_ARGUMENT, "option temperature: more than %d of them", AM_WHISPER_TEMPERATURES);
    out->temperatures[out->count++] = temperature;
    return NULL;
}

am_status am_whisper_fallback_read(am_json options, am_json file, am_whisper_fallback *out)
{
    am_json given = am_json_get(options, "temperature");
    *out = (am_whisper_fallback){0};
    if (am_json_kind_of(given) == AM_JSON_ARRAY) {
        for (am_json_iterator i = am_json_iterate(given); am_json_next(&i);) AM_TRY(add_temperature(i.value, out));
        if (!out->count) return am_error(AM_INVALID_ARGUMENT, "option temperature: an empty array");
    } else if (am_json_kind_of(given) > AM_JSON_NULL) {
        AM_TRY(add_temperature(given, out));
    } else {
        out->count = 1;
    }
    AM_TRY(read_threshold(options, file, "compression_ratio_threshold", &out->compression_ratio));
    AM_TRY(read_threshold(options, file, "logprob_threshold", &out->logprob));
    AM_TRY(read_threshold(options, file, "no_speech_threshold", &out->no_speech));
    if (!isnan(out->no_speech) && isnan(out->logprob))
        return am_error(AM_INVALID_ARGUMENT, "option no_speech_threshold: needs a logprob_threshold");
    return NULL;
}

am_status am_whisper_compression_ratio(const int32_t *ids, int64_t count, int64_t vocab, double *out)
{
    int bytes_each = vocab < 1 || vocab > INT32_MAX ? 4 : (int)(log2((double)vocab) / 8.0) + 1;
    uLong size = (uLong)(count * bytes_each);
    uLongf compressed_size = compressBound(size);
    uint8_t *bytes = am_alloc(size + 1), *compressed = am_alloc(compressed_size);
    uint8_t *to = bytes;
    for (int64_t i = 0; bytes && i < count; i++)
        for (int b = 0; b < bytes_each; b++) *to++ = (uint8_t)((uint32_t)ids[i] >> 8 * b);
    bool done = bytes && compressed && compress(compressed, &compressed_size, bytes, size) == Z_OK;
    if (done) *out = (double)size / (double)compressed_size;
    am_free(bytes);
    am_free(compressed);
    return done ? NULL : am_out_of_memory();
}

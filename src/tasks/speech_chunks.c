#include "tasks/speech.h"

#include <math.h>

static am_status check_seconds(am_json value, const char *name)
{
    am_json_kind kind = am_json_kind_of(value);
    double seconds = am_json_real(value, NAN);
    if ((kind == AM_JSON_INTEGER || kind == AM_JSON_REAL) && seconds >= 0 && seconds <= AM_AUDIO_MAX_SECONDS)
        return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option %s: expected seconds, found %s", name, am_json_kind_name(kind));
}

/* stride_length_s: a number for both sides, or one for each; a sixth of the chunk when it is not given. */
static am_status read_strides(am_json options, double chunk_s, double strides[2])
{
    am_json given = am_json_get(options, "stride_length_s");
    int count = 0;
    strides[0] = strides[1] = chunk_s / 6;
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    if (am_json_kind_of(given) != AM_JSON_ARRAY) {
        AM_TRY(check_seconds(given, "stride_length_s"));
        strides[0] = strides[1] = am_json_real(given, 0);
        return NULL;
    }
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i); count++) {
        AM_TRY(check_seconds(i.value, "stride_length_s"));
        if (count < 2) strides[count] = am_json_real(i.value, 0);
    }
    return count == 2 ? NULL
                      : am_error(AM_INVALID_ARGUMENT, "option stride_length_s: expected 2 numbers, found %d", count);
}

static int64_t align_samples(double seconds, int64_t sampling_rate, int64_t align)
{
    return (int64_t)rint(seconds * (double)sampling_rate / (double)align) * align;
}

am_status am_speech_chunks_read(am_json options, int64_t sampling_rate, int64_t align, am_speech_chunks *out)
{
    am_json given = am_json_get(options, "chunk_length_s");
    double chunk_s, strides[2];
    *out = (am_speech_chunks){0};
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    AM_TRY(check_seconds(given, "chunk_length_s"));
    chunk_s = am_json_real(given, 0);
    if (chunk_s <= 0) return NULL;
    AM_TRY(read_strides(options, chunk_s, strides));
    out->chunk = align_samples(chunk_s, sampling_rate, align);
    out->stride_left = align_samples(strides[0], sampling_rate, align);
    out->stride_right = align_samples(strides[1], sampling_rate, align);
    if (out->chunk > out->stride_left + out->stride_right) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option chunk_length_s: expected more than the strides' %g s, found %g s",
                    strides[0] + strides[1], chunk_s);
}

bool am_speech_next_chunk(const am_speech_chunks *chunks, int64_t samples, int64_t *next, am_speech_chunk *out)
{
    while (*next < samples) {
        int64_t first = *next, end = first + chunks->chunk;
        bool is_last = end >= samples;
        *out = (am_speech_chunk){.first = first,
                                 .count = (is_last ? samples : end) - first,
                                 .left = first ? chunks->stride_left : 0,
                                 .right = is_last ? 0 : chunks->stride_right,
                                 .is_last = is_last};
        *next = is_last ? samples : first + chunks->chunk - chunks->stride_left - chunks->stride_right;
        if (out->count > out->left) return true;
    }
    return false;
}

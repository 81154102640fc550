#include "media/audio.h"

#include "base/file.h"
#include "base/memory.h"
#include "media/audio_codecs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <soxr.h>

enum { MIN_RATE = 1000, MAX_RATE = 768000, MAX_CHANNELS = 1024, BLOCK_SAMPLES = 1 << 16 };

void am_audio_deinit(am_audio *audio)
{
    am_free(audio->samples);
    *audio = (am_audio){0};
}

/* The most frames of `channels` at `rate` under the limits. */
static int64_t max_frames(const am_audio_limits *limits, int channels, int rate)
{
    double seconds = limits && limits->max_seconds > 0 ? limits->max_seconds : AM_AUDIO_MAX_SECONDS;
    int64_t samples = limits && limits->max_samples > 0 ? limits->max_samples : AM_AUDIO_MAX_SAMPLES;
    double by_time = seconds * rate;
    int64_t by_memory = samples / channels;
    return by_time < (double)by_memory ? (int64_t)by_time : by_memory;
}

int64_t am_sound_read(am_sound_source *source, void *to, int64_t count)
{
    int64_t left = source->size_bytes - source->position, take = count < left ? count : left;
    if (take <= 0) return 0;
    memcpy(to, source->bytes + source->position, (size_t)take);
    source->position += take;
    return take;
}

int64_t am_sound_seek(am_sound_source *source, int64_t offset, int whence)
{
    int64_t base = whence == SEEK_CUR ? source->position : whence == SEEK_END ? source->size_bytes : 0, to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0) return -1;
    source->position = to < source->size_bytes ? to : source->size_bytes;
    return source->position;
}

am_status am_sound_format(am_sound_sink *sink, int64_t sampling_rate, int64_t channels)
{
    am_audio *audio = sink->audio;
    if (audio->channels && (audio->channels != channels || audio->sampling_rate != sampling_rate))
        return am_error(AM_UNSUPPORTED,
                        "the sound goes on with %" PRId64 " channels at %" PRId64 " Hz after %d at %d Hz", channels,
                        sampling_rate, audio->channels, audio->sampling_rate);
    if (sampling_rate < MIN_RATE || sampling_rate > MAX_RATE)
        return am_error(AM_UNSUPPORTED, "a sampling rate of %" PRId64 " Hz; expected %d to %d", sampling_rate, MIN_RATE,
                        MAX_RATE);
    if (channels < 1 || channels > MAX_CHANNELS)
        return am_error(AM_UNSUPPORTED, "%" PRId64 " channels; expected 1 to %d", channels, MAX_CHANNELS);
    audio->channels = (int)channels;
    audio->sampling_rate = (int)sampling_rate;
    sink->limit_frames = max_frames(sink->limits, audio->channels, audio->sampling_rate);
    return NULL;
}

static am_status grow(am_sound_sink *sink)
{
    int64_t frames = sink->capacity_frames * 2, least = BLOCK_SAMPLES / sink->audio->channels;
    if (frames < least) frames = least;
    if (frames > sink->limit_frames) frames = sink->limit_frames + 1; /* one more, to see whether there is more */
    size_t bytes;
    if (!am_multiply_size((size_t)frames, (size_t)sink->audio->channels * sizeof(float), &bytes))
        return am_out_of_memory();
    float *samples = am_realloc(sink->audio->samples, bytes);
    if (!samples) return am_out_of_memory();
    sink->audio->samples = samples;
    sink->capacity_frames = frames;
    return NULL;
}

am_status am_sound_room(am_sound_sink *sink, float **to, int64_t *frames)
{
    if (sink->audio->frames == sink->capacity_frames) AM_TRY(grow(sink));
    int64_t block = BLOCK_SAMPLES / sink->audio->channels;
    *to = sink->audio->samples + sink->audio->frames * sink->audio->channels;
    *frames = sink->capacity_frames - sink->audio->frames;
    if (*frames > block) *frames = block;
    return NULL;
}

am_status am_sound_add(am_sound_sink *sink, int64_t frames)
{
    const am_audio *audio = sink->audio;
    const float *samples = audio->samples + audio->frames * audio->channels;
    for (int64_t i = 0; i < frames * audio->channels; i++)
        if (!isfinite(samples[i]))
            return am_error(AM_INVALID_FILE, "frame %" PRId64 " is not a finite number",
                            audio->frames + i / audio->channels);
    sink->audio->frames += frames;
    if (audio->frames <= sink->limit_frames) return NULL;
    return am_error(AM_OUT_OF_MEMORY, "more than the limit of %" PRId64 " frames (%.2f seconds at %d Hz, %d channels)",
                    sink->limit_frames, (double)sink->limit_frames / audio->sampling_rate, audio->sampling_rate,
                    audio->channels);
}

typedef am_status (*sound_decoder)(am_sound_source *source, am_sound_sink *sink);

/* The first bytes of what is decoded; of an Ogg file, those of its first packet. */
typedef struct sound_format {
    const char *magic;
    size_t length;
    sound_decoder decode;
} sound_format;

static const sound_format formats[] = {
    {"RIFF", 4, am_sound_decode_sndfile}, {"RIFX", 4, am_sound_decode_sndfile}, {"RF64", 4, am_sound_decode_sndfile},
    {"fLaC", 4, am_sound_decode_sndfile}, {"FORM", 4, am_sound_decode_sndfile}, {".snd", 4, am_sound_decode_sndfile},
    {"caff", 4, am_sound_decode_sndfile}, {"ID3", 3, am_sound_decode_mpeg},
};

static const sound_format ogg_formats[] = {
    {"\1vorbis", 7, am_sound_decode_vorbis},
    {"OpusHead", 8, am_sound_decode_sndfile},
    {"\177FLAC", 5, am_sound_decode_sndfile},
};

static sound_decoder match(const uint8_t *bytes, size_t size_bytes, const sound_format *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (size_bytes >= table[i].length && memcmp(bytes, table[i].magic, table[i].length) == 0)
            return table[i].decode;
    }
    return NULL;
}

/* The checksum of an Ogg page, whose own four bytes count as 0 (RFC 3533, 6). */
static uint32_t page_checksum(const uint8_t *page, size_t size_bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        sum ^= (uint32_t)(i >= 22 && i < 26 ? 0 : page[i]) << 24;
        for (int bit = 0; bit < 8; bit++) sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7u : 0);
    }
    return sum;
}

/* The first page of Ogg tells what follows: 26 bytes, the number of segments, their lengths, and what they
   hold. It must be whole, so that no decoder goes on to a later one. */
static sound_decoder find_ogg_decoder(const uint8_t *page, size_t size_bytes)
{
    size_t segments = page[26], header_bytes = 27 + segments, page_bytes = header_bytes;
    if (header_bytes > size_bytes) return NULL;
    for (size_t i = 0; i < segments; i++) page_bytes += page[27 + i];
    uint32_t sum = (uint32_t)page[25] << 24 | (uint32_t)page[24] << 16 | (uint32_t)page[23] << 8 | page[22];
    if (page_bytes > size_bytes || page_checksum(page, page_bytes) != sum) return NULL;
    return match(page + header_bytes, page_bytes - header_bytes, ogg_formats, sizeof ogg_formats / sizeof *ogg_formats);
}

static sound_decoder find_decoder(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes >= 27 && memcmp(bytes, "OggS", 4) == 0) return find_ogg_decoder(bytes, size_bytes);
    if (size_bytes >= 2 && bytes[0] == 0xff && bytes[1] >= 0xe0) return am_sound_decode_mpeg; /* a frame of it */
    return match(bytes, size_bytes, formats, sizeof formats / sizeof *formats);
}

static am_status decode(am_sound_source *source, am_sound_sink *sink)
{
    if (!source->size_bytes) return am_error(AM_INVALID_FILE, "an empty file, expected sound");
    sound_decoder decoder = find_decoder(source->bytes, (size_t)source->size_bytes);
    if (!decoder)
        return am_error(
            AM_UNSUPPORTED,
            "no WAV, FLAC, MP3, AIFF, AU or CAF file, nor one of Ogg that begins with a page of Vorbis, Opus "
            "or FLAC; the first byte is 0x%02x",
            source->bytes[0]);
    AM_TRY(decoder(source, sink));
    return sink->audio->frames ? NULL : am_error(AM_INVALID_FILE, "no sound in the file");
}

am_status am_audio_decode(const void *bytes, size_t size_bytes, const char *name, const am_audio_limits *limits,
                          am_audio *out)
{
    *out = (am_audio){0};
    am_sound_source source = {.bytes = bytes, .size_bytes = (int64_t)size_bytes};
    am_sound_sink sink = {.audio = out, .limits = limits};
    am_status status = decode(&source, &sink);
    if (!status) return NULL;
    am_audio_deinit(out);
    return am_note(status, "%s", name);
}

am_status am_audio_open(const char *path, const am_audio_limits *limits, am_audio *out)
{
    *out = (am_audio){0};
    am_mapped_file file;
    AM_TRY(am_file_map(path, &file));
    am_status status = am_audio_decode(file.bytes, file.size_bytes, path, limits, out);
    am_file_unmap(&file);
    return status;
}

void am_audio_mix_down(am_audio *audio)
{
    const float *frame = audio->samples;
    for (int64_t i = 0; audio->channels > 1 && i < audio->frames; i++, frame += audio->channels) {
        float sum = 0.0f;
        for (int c = 0; c < audio->channels; c++) sum += frame[c];
        audio->samples[i] = sum / (float)audio->channels;
    }
    audio->channels = audio->samples ? 1 : 0;
}

/* samples: [frames, channels] at the new rate, zeros where the filter ends early. */
static am_status run_soxr(const am_audio *in, am_audio *out)
{
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_error_t error = NULL;
    soxr_t soxr =
        soxr_create(in->sampling_rate, out->sampling_rate, (unsigned)in->channels, &error, &io, &quality, NULL);
    size_t used = 0, made = 0, total = 0;
    const float *from = in->samples;
    size_t left = (size_t)in->frames;
    while (!error && total < (size_t)out->frames) {
        error = soxr_process(soxr, left ? from : NULL, left, &used, out->samples + total * (size_t)in->channels,
                             (size_t)out->frames - total, &made);
        if (!left && !made) break;
        from += used * (size_t)in->channels;
        left -= used;
        total += made;
    }
    if (soxr) soxr_delete(soxr);
    return error ? am_error(AM_OUT_OF_MEMORY, "soxr: %s", error) : NULL;
}

am_status am_audio_resample(am_audio *audio, int sampling_rate, const am_audio_limits *limits)
{
    if (sampling_rate == audio->sampling_rate || !audio->frames) return NULL;
    if (sampling_rate < MIN_RATE || sampling_rate > MAX_RATE)
        return am_error(AM_INVALID_ARGUMENT, "a sampling rate of %d Hz; expected %d to %d", sampling_rate, MIN_RATE,
                        MAX_RATE);
    am_audio out = {.channels = audio->channels, .sampling_rate = sampling_rate};
    int64_t limit_frames = max_frames(limits, audio->channels, sampling_rate);
    if (audio->frames > INT64_MAX / sampling_rate) return am_out_of_memory();
    out.frames = (audio->frames * sampling_rate + audio->sampling_rate - 1) / audio->sampling_rate;
    if (out.frames > limit_frames)
        return am_error(AM_OUT_OF_MEMORY, "%" PRId64 " frames at %d Hz, more than the limit of %" PRId64, out.frames,
                        sampling_rate, limit_frames);
    /* A frame more: soxr reads a pointer for each channel from where it writes, used or not (soxr_output in 0.1.3). */
    out.samples = am_alloc_zeroed((size_t)((out.frames + 1) * out.channels), sizeof *out.samples);
    am_status status = out.samples ? run_soxr(audio, &out) : am_out_of_memory();
    if (status) {
        am_audio_deinit(&out);
        return status;
    }
    am_audio_deinit(audio);
    *audio = out;
    return NULL;
}

am_status am_audio_load(const char *path, int sampling_rate, const am_audio_limits *limits, am_audio *out)
{
    AM_TRY(am_audio_open(path, limits, out));
    am_audio_mix_down(out);
    am_status status = sampling_rate ? am_audio_resample(out, sampling_rate, limits) : NULL;
    if (!status) return NULL;
    am_audio_deinit(out);
    return am_note(status, "%s", path);
}

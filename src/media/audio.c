#include "media/audio.h"

#include "base/file.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <sndfile.h>
#include <soxr.h>

enum { MIN_RATE = 1000, MAX_RATE = 768000, BLOCK_SAMPLES = 1 << 16 };

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

typedef struct byte_source {
    const uint8_t *bytes;
    sf_count_t size, position;
} byte_source;

static sf_count_t source_size(void *context)
{
    return ((byte_source *)context)->size;
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *context)
{
    byte_source *source = context;
    sf_count_t base = whence == SEEK_CUR ? source->position : whence == SEEK_END ? source->size : 0, to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0) return -1;
    source->position = to < source->size ? to : source->size;
    return source->position;
}

static sf_count_t source_read(void *to, sf_count_t count, void *context)
{
    byte_source *source = context;
    sf_count_t left = source->size - source->position, take = count < left ? count : left;
    if (take <= 0) return 0;
    memcpy(to, source->bytes + source->position, (size_t)take);
    source->position += take;
    return take;
}

static sf_count_t source_write(const void *from, sf_count_t count, void *context)
{
    (void)from, (void)count, (void)context;
    return 0;
}

static sf_count_t source_tell(void *context)
{
    return ((byte_source *)context)->position;
}

/* Formats that go on to libsndfile, by their first bytes. */
static bool is_known(const uint8_t *bytes, size_t size_bytes)
{
    static const struct {
        size_t offset, length;
        const char *magic;
    } known[] = {{0, 4, "RIFF"}, {0, 4, "RIFX"}, {0, 4, "RF64"}, {0, 4, "fLaC"}, {0, 4, "OggS"},
                 {0, 3, "ID3"},  {0, 4, "FORM"}, {0, 4, ".snd"}, {0, 4, "caff"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (size_bytes >= known[i].offset + known[i].length &&
            memcmp(bytes + known[i].offset, known[i].magic, known[i].length) == 0)
            return true;
    }
    return size_bytes >= 2 && bytes[0] == 0xff && bytes[1] >= 0xe0; /* the frame sync of MPEG audio */
}

static am_status grow(am_audio *audio, int64_t *capacity_frames, int64_t limit_frames)
{
    int64_t block = BLOCK_SAMPLES / audio->channels, wanted = *capacity_frames * 2;
    if (wanted < block + 1) wanted = block + 1;
    if (wanted > limit_frames + 1) wanted = limit_frames + 1; /* one more, to see whether there is more */
    size_t bytes;
    if (!am_multiply_size((size_t)wanted, (size_t)audio->channels * sizeof *audio->samples, &bytes))
        return am_out_of_memory();
    float *samples = am_realloc(audio->samples, bytes);
    if (!samples) return am_out_of_memory();
    audio->samples = samples;
    *capacity_frames = wanted;
    return NULL;
}

/* Reads blocks until the sound ends. */
static am_status read_frames(SNDFILE *file, int64_t limit_frames, am_audio *audio)
{
    int64_t capacity_frames = 0;
    for (;;) {
        if (audio->frames == capacity_frames) AM_TRY(grow(audio, &capacity_frames, limit_frames));
        int64_t block = BLOCK_SAMPLES / audio->channels + 1, room = capacity_frames - audio->frames;
        if (block > room) block = room;
        sf_count_t count = sf_readf_float(file, audio->samples + audio->frames * audio->channels, block);
        if (count <= 0) break;
        audio->frames += count;
        if (audio->frames > limit_frames)
            return am_error(AM_OUT_OF_MEMORY,
                            "more than the limit of %" PRId64 " frames (%.0f seconds at %d Hz, %d channels)",
                            limit_frames, (double)limit_frames / audio->sampling_rate, audio->sampling_rate,
                            audio->channels);
    }
    if (sf_error(file) != SF_ERR_NO_ERROR)
        return am_error(AM_INVALID_FILE, "after %" PRId64 " frames: %s", audio->frames, sf_strerror(file));
    return NULL;
}

/* MP3 lengths are estimates; a length of 0 is an unknown one. */
static am_status check_length(const SF_INFO *info, int64_t frames)
{
    if (!frames) return am_error(AM_INVALID_FILE, "no sound in the file");
    if ((info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG || frames >= info->frames) return NULL;
    return am_error(AM_INVALID_FILE, "truncated: the header says %" PRId64 " frames, %" PRId64 " are there",
                    (int64_t)info->frames, frames);
}

static am_status read_sound(SNDFILE *file, const SF_INFO *info, const am_audio_limits *limits, am_audio *out)
{
    if (info->samplerate < MIN_RATE || info->samplerate > MAX_RATE)
        return am_error(AM_UNSUPPORTED, "a sampling rate of %d Hz; expected %d to %d", info->samplerate, MIN_RATE,
                        MAX_RATE);
    if (info->channels < 1 || info->channels > BLOCK_SAMPLES)
        return am_error(AM_INVALID_FILE, "%d channels; expected 1 to %d", info->channels, BLOCK_SAMPLES);
    out->channels = info->channels;
    out->sampling_rate = info->samplerate;
    AM_TRY(read_frames(file, max_frames(limits, info->channels, info->samplerate), out));
    return check_length(info, out->frames);
}

static am_status decode(byte_source *source, const am_audio_limits *limits, am_audio *out)
{
    if (!source->size) return am_error(AM_INVALID_FILE, "an empty file, expected sound");
    if (!is_known(source->bytes, (size_t)source->size))
        return am_error(AM_UNSUPPORTED, "no WAV, FLAC, Ogg, MP3, AIFF, AU or CAF file: it begins with byte 0x%02x",
                        source->bytes[0]);
    SF_VIRTUAL_IO io = {.get_filelen = source_size,
                        .seek = source_seek,
                        .read = source_read,
                        .write = source_write,
                        .tell = source_tell};
    SF_INFO info = {0};
    SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, source);
    if (!file) return am_error(AM_INVALID_FILE, "%s", sf_strerror(NULL));
    am_status status = read_sound(file, &info, limits, out);
    sf_close(file);
    return status;
}

am_status am_audio_decode(const void *bytes, size_t size_bytes, const char *name, const am_audio_limits *limits,
                          am_audio *out)
{
    *out = (am_audio){0};
    byte_source source = {.bytes = bytes, .size = (sf_count_t)size_bytes};
    am_status status = decode(&source, limits, out);
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
    soxr_t soxr = soxr_create(in->sampling_rate, out->sampling_rate, (unsigned)in->channels, &error, &io, &quality, NULL);
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
    out.samples = am_alloc_zeroed((size_t)(out.frames * out.channels), sizeof *out.samples);
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

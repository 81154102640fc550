/* Sound: decoding by content, mixing down, resampling, as `load_audio` of transformers (soundfile, soxr)
   does. */
#ifndef AM_MEDIA_AUDIO_H
#define AM_MEDIA_AUDIO_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Defaults of am_audio_limits: 4 hours, and 2^28 samples, which are 1 GiB. */
#define AM_AUDIO_MAX_SECONDS 14400.0
#define AM_AUDIO_MAX_SAMPLES ((int64_t)1 << 28)

/* samples: [frames, channels], mostly in [-1, 1]; owned. sampling_rate in Hz. All zeros is no sound. */
typedef struct am_audio {
    float *samples;
    int64_t frames;
    int channels;
    int sampling_rate;
} am_audio;

/* What is read and made at most; 0 means the default. */
typedef struct am_audio_limits {
    double max_seconds;
    int64_t max_samples; /* frames * channels */
} am_audio_limits;

/* Frees the samples; the sound is all zeros then. */
void am_audio_deinit(am_audio *audio);

/* Decodes WAV (also RF64, mu-law, A-law, float), FLAC, Ogg (Vorbis, Opus, FLAC), MP3, AIFF, AU or CAF, told
   apart by their first bytes, with the libraries that soundfile uses; integers are scaled by 2^-(bits - 1).
   What a header says about lengths is not believed: sound is read until it ends or passes a limit. `name`
   stands for the file in messages; `limits` may be null. Fails with AM_INVALID_FILE (corrupt, truncated,
   empty), AM_UNSUPPORTED (another format, a rate outside 1000 to 768000 Hz), AM_OUT_OF_MEMORY (also: over a
   limit). */
am_status am_audio_decode(const void *bytes, size_t size_bytes, const char *name, const am_audio_limits *limits,
                          am_audio *out) AM_NODISCARD;

/* Maps a file and decodes it. */
am_status am_audio_open(const char *path, const am_audio_limits *limits, am_audio *out) AM_NODISCARD;

/* Makes every frame the mean of its channels, in place. */
void am_audio_mix_down(am_audio *audio);

/* Resamples in place with soxr's HQ recipe to ceil(frames * rate / sampling_rate) frames, any number of
   channels. Fails with AM_INVALID_ARGUMENT (rate), AM_OUT_OF_MEMORY. */
am_status am_audio_resample(am_audio *audio, int sampling_rate, const am_audio_limits *limits) AM_NODISCARD;

/* load_audio: opens, mixes down and resamples; `sampling_rate` 0 keeps the file's. */
am_status am_audio_load(const char *path, int sampling_rate, const am_audio_limits *limits, am_audio *out) AM_NODISCARD;

#endif

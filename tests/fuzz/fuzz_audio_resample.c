/* Mixing down and resampling between any rates: two rates of four bytes each and a number of channels, then samples. */
#include "base/memory.h"
#include "media/audio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 9, MOST_RATE = 800000 };

static int rate_of(const uint8_t *bytes)
{
    uint32_t rate;
    memcpy(&rate, bytes, sizeof rate);
    return bytes[3] & 128 ? (int)rate : (int)(rate % MOST_RATE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const am_audio_limits limits = {.max_samples = 1 << 18, .max_seconds = 1000.0};
    if (size <= HEAD) return 0;
    am_audio sound = {.channels = 1 + data[8] % 8, .sampling_rate = rate_of(data)};
    int to = rate_of(data + 4);
    size_t count = size - HEAD;
    sound.frames = (int64_t)count / sound.channels;
    if (sound.frames < 1 || sound.sampling_rate < 1) return 0;
    sound.samples = am_alloc(count * sizeof *sound.samples);
    if (!sound.samples) abort();
    for (size_t i = 0; i < count; i++)
        sound.samples[i] = data[HEAD + i] == 255 ? NAN : (float)data[HEAD + i] / 128.0f - 1.0f;
    if (data[8] & 128) am_audio_mix_down(&sound);
    double frames = ceil((double)sound.frames * to / sound.sampling_rate);
    am_status status = am_audio_resample(&sound, to, &limits);
    if (!status && (sound.sampling_rate != to || fabs((double)sound.frames - frames) > 1.0)) abort();
    if (status && am_status_code(status) == AM_INTERNAL) abort();
    am_status_free(status);
    am_audio_deinit(&sound);
    return 0;
}

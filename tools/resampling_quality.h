/* How good am_audio_resample is: what comes out of it for sines. For tools/resampling_doc.c and the tests. */
#ifndef AM_TOOLS_RESAMPLING_QUALITY_H
#define AM_TOOLS_RESAMPLING_QUALITY_H

#include "base/memory.h"
#include "media/audio.h"

#include <math.h>

/* Decibels. gain: of a sine; noise: of all that is not the sine, below a sine of full scale. */
typedef struct am_sine_response {
    double gain_db, noise_db;
} am_sine_response;

static inline double am_decibels(double amplitude)
{
    return 20.0 * log10(amplitude > 1e-10 ? amplitude : 1e-10);
}

/* The sine that fits samples [first, end) best, by least squares: its amplitude, and the root mean square of the rest.
 */
static inline void am_fit_sine(const float *samples, int64_t first, int64_t end, double turns, double *amplitude,
                               double *rest)
{
    double cc = 0, cs = 0, ss = 0, yc = 0, ys = 0, squares = 0;
    for (int64_t t = first; t < end; t++) {
        double angle = 2.0 * acos(-1.0) * fmod(turns * (double)t, 1.0), c = cos(angle), s = sin(angle);
        double y = (double)samples[t];
        cc += c * c;
        cs += c * s;
        ss += s * s;
        yc += y * c;
        ys += y * s;
    }
    double divisor = cc * ss - cs * cs;
    double a = divisor > 1e-9 ? (yc * ss - ys * cs) / divisor : yc / cc;
    double b = divisor > 1e-9 ? (ys * cc - yc * cs) / divisor : 0.0;
    for (int64_t t = first; t < end; t++) {
        double angle = 2.0 * acos(-1.0) * fmod(turns * (double)t, 1.0);
        double left = (double)samples[t] - a * cos(angle) - b * sin(angle);
        squares += left * left;
    }
    *amplitude = sqrt(a * a + b * b);
    *rest = sqrt(squares / (double)(end - first));
}

/* Resamples half a second of a sine of amplitude 0.5 and looks at the middle half. Above half of the lower rate there
   is no sine to come out: all is noise. */
static inline am_status am_measure_sine(int from, int to, double hertz, am_sine_response *out)
{
    am_audio sound = {.frames = from / 2, .channels = 1, .sampling_rate = from};
    sound.samples = am_alloc((size_t)sound.frames * sizeof *sound.samples);
    if (!sound.samples) return am_out_of_memory();
    for (int64_t t = 0; t < sound.frames; t++)
        sound.samples[t] = (float)(0.5 * sin(2.0 * acos(-1.0) * fmod(hertz / from * (double)t, 1.0) + 0.7));
    am_status status = am_audio_resample(&sound, to, NULL);
    double amplitude = 0.0, rest = 0.0;
    if (!status) {
        int64_t first = sound.frames / 4, end = sound.frames - first;
        am_fit_sine(sound.samples, first, end, hertz / to, &amplitude, &rest);
        if (hertz > to / 2.0) {
            rest = sqrt(rest * rest + amplitude * amplitude / 2.0);
            amplitude = 0.0;
        }
        *out = (am_sine_response){am_decibels(amplitude / 0.5), am_decibels(rest * sqrt(2.0) / 0.5)};
    }
    am_audio_deinit(&sound);
    return status;
}

/* Frequencies as parts of half of the lower rate. */
typedef struct am_resampling_quality {
    double flat_to;       /* up to here every gain is within 0.1 dB */
    double half_power_at; /* -3 dB */
    double noise_db;      /* the most, of sines up to flat_to */
    double alias_db;      /* the most that is left of sines above half of the lower rate; of lower rates only */
} am_resampling_quality;

static inline am_status am_measure_resampling(int from, int to, am_resampling_quality *out)
{
    double half = (from < to ? from : to) / 2.0;
    bool is_flat = true, is_loud = true;
    *out = (am_resampling_quality){.noise_db = -INFINITY, .alias_db = -INFINITY};
    for (int percent = 1; percent < 200; percent++) {
        /* a little beside round numbers, so that no period fits the samples */
        double part = percent / 200.0 + 0.00037;
        am_sine_response r;
        AM_TRY(am_measure_sine(from, to, part * half, &r));
        is_flat = is_flat && fabs(r.gain_db) <= 0.1;
        is_loud = is_loud && r.gain_db >= -3.0;
        if (is_flat) out->flat_to = part;
        if (is_loud) out->half_power_at = part;
        if (is_flat) out->noise_db = fmax(out->noise_db, r.noise_db);
    }
    for (double part = 1.01; part * half < from / 2.0 && to < from; part += 0.0371) {
        am_sine_response r;
        AM_TRY(am_measure_sine(from, to, part * half, &r));
        out->alias_db = fmax(out->alias_db, r.noise_db);
    }
    return NULL;
}

#endif

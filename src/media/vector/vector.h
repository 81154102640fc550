/* Vector routines for pictures and spectra: the *_tmpl.c files here are compiled once for each instruction set of the
   machine's architecture and give a table each time. All tables give the same bits. */
#ifndef AM_MEDIA_VECTOR_VECTOR_H
#define AM_MEDIA_VECTOR_VECTOR_H

#include "media/audio_features.h"
#include "media/fft.h"

#include <stdint.h>

/* The bits of a weight's lower part, where it has two: weight = high * 2^AM_WEIGHT_LOW_BITS + low. */
enum { AM_WEIGHT_LOW_BITS = 11 };

/* Of one channel: (value - mean) / std. */
typedef struct am_channel_scale {
    float mean, std;
} am_channel_scale;

typedef struct am_picture_routines {
    /* out[x] = the sum over t < taps of weight[t] * in[t * stride + x], and half of 2^bits, shifted right by bits, as
       a byte: what is less or more becomes 0 or 255. Sums have to fit in 32 bits. low null: weights have one part. */
    void (*weigh)(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                  int64_t count, int bits, uint8_t *out);

    /* out[c * out_stride + r] = in[r * in_stride + c] */
    void (*turn)(const uint8_t *in, int64_t in_stride, int64_t rows, int64_t columns, uint8_t *out, int64_t out_stride);

    /* pixels: [count, 3]; planes: [3, plane], of which the first `count` of each row are written. */
    void (*split)(const uint8_t *pixels, int64_t count, uint8_t *planes, int64_t plane);

    /* As floats; then times `scale`, or less the mean and over the deviation. out may be in where that is floats. */
    void (*widen)(const uint8_t *in, int64_t count, float *out);
    void (*rescale_bytes)(const uint8_t *in, int64_t count, float scale, float *out);
    void (*rescale)(const float *in, int64_t count, float scale, float *out);
    void (*normalize_bytes)(const uint8_t *in, int64_t count, am_channel_scale channel, float *out);
    void (*normalize)(const float *in, int64_t count, am_channel_scale channel, float *out);
} am_picture_routines;

/* A spectrogram to be made: that of am_spectrogram, before logarithms are taken. */
typedef struct am_spectrum_job {
    const am_spectrogram_options *options;
    const am_fft *fft;         /* of options->fft_length */
    const int64_t *mel_ranges; /* [mel_count, 2]: bins from and to where a filter is not 0; null without filters */
    const float *waveform;     /* [length] */
    int64_t length, before;    /* samples; how many of them frame 0 begins before the first */
    int64_t frames;
    double *out; /* [rows, frames] */
} am_spectrum_job;

/* Arrays of doubles are aligned to 64 bytes. */
typedef struct am_spectrum_routines {
    int lanes; /* transforms that are computed side by side */

    /* Numbers of `scratch`. out[k] = sum over t of in[t] exp(-2 pi i k t / length) for k <= length / 2 in every lane;
       in: [length, lanes], out: [length / 2 + 1, 2, lanes], real parts before imaginary ones. */
    int64_t (*fft_scratch)(const am_fft *fft);
    void (*fft_real)(const am_fft *fft, const double *in, double *scratch, double *out);

    /* `count` frames from `first` on, 1 to lanes. */
    int64_t (*spectrum_scratch)(const am_fft *fft);
    void (*spectrum)(const am_spectrum_job *job, int64_t first, int64_t count, double *scratch);
} am_spectrum_routines;

typedef struct am_media_vector {
    const char *name; /* "avx2" */
    const am_picture_routines *picture;
    const am_spectrum_routines *spectrum;
} am_media_vector;

/* The best tables that this processor runs; never null. */
const am_media_vector *am_media_vector_best(void);

/* Those that this processor runs, the plainest first; null where there are not so many. */
const am_media_vector *am_media_vector_at(int index);

#endif

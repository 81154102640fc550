/* Discrete Fourier transforms of any length, in double precision. */
#ifndef AM_MEDIA_FFT_H
#define AM_MEDIA_FFT_H

#include "base/status.h"

#include <stdint.h>

typedef struct am_complex {
    double re, im;
} am_complex;

typedef struct am_fft am_fft;

/* For transforms of `length` (1 to 2^24) points: mixed radix (Cooley, Tukey 1965), so that its time grows
   with the sum of the length's prime factors. One at a time for one plan. */
am_status am_fft_create(int64_t length, am_fft **out) AM_NODISCARD;
void am_fft_destroy(am_fft *fft);

/* out[k] = sum over t of in[t] exp(-2 pi i k t / length) for k <= length / 2; in: [length], out: [length
   / 2 + 1]. */
void am_fft_real(am_fft *fft, const double *in, am_complex *out);

#endif

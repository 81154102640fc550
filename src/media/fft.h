/* Discrete Fourier transforms of any length, in double precision. */
#ifndef AM_MEDIA_FFT_H
#define AM_MEDIA_FFT_H

#include "base/status.h"

#include <stdint.h>

typedef struct am_complex {
    double re, im;
} am_complex;

enum { AM_FFT_MOST_FACTORS = 32 };

/* What transforms of one length need; vector/spectrum_tmpl.c computes them. */
typedef struct am_fft {
    int64_t length, points; /* of numbers; of the complex transform: half of an even length */
    int64_t factors[AM_FFT_MOST_FACTORS], largest_factor;
    am_complex *roots; /* [points]: exp(-2 pi i k / points) */
    am_complex *turns; /* [points + 1]: exp(-2 pi i k / length), where length is even */
} am_fft;

/* For transforms of `length` (1 to 2^20) points: mixed radix (Cooley, Tukey 1965), so that its time grows
   with the sum of the length's prime factors. */
am_status am_fft_create(int64_t length, am_fft **out) AM_NODISCARD;
void am_fft_destroy(am_fft *fft);

#endif

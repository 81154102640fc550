#include "media/fft.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_FACTORS = 32, MAX_LENGTH = 1 << 24 };

struct am_fft {
    int64_t length;
    int64_t factors[MAX_FACTORS];
    am_complex *roots; /* [length]: exp(-2 pi i k / length) */
    am_complex *work;  /* [length] */
    am_complex *parts; /* [largest factor] */
};

/* Factors of 4 first, which cost less than two of 2, then the primes. */
static int64_t factorize(int64_t length, int64_t factors[MAX_FACTORS])
{
    int64_t largest = 1;
    int count = 0;
    for (int64_t factor = 4; length > 1;) {
        if (length % factor != 0) {
            factor = factor == 4 ? 2 : factor == 2 ? 3 : factor * factor > length ? length : factor + 2;
            continue;
        }
        factors[count++] = factor;
        length /= factor;
        if (factor > largest) largest = factor;
    }
    return largest;
}

am_status am_fft_create(int64_t length, am_fft **out)
{
    *out = NULL;
    if (length < 1 || length > MAX_LENGTH)
        return am_error(AM_INVALID_ARGUMENT, "a transform of %" PRId64 " points; expected 1 to %d", length, MAX_LENGTH);
    am_fft *fft = am_alloc_zeroed(1, sizeof *fft);
    if (!fft) return am_out_of_memory();
    fft->length = length;
    int64_t largest = factorize(length, fft->factors);
    fft->roots = am_alloc_zeroed((size_t)length, sizeof *fft->roots);
    fft->work = am_alloc_zeroed((size_t)length, sizeof *fft->work);
    fft->parts = am_alloc_zeroed((size_t)largest, sizeof *fft->parts);
    if (!fft->roots || !fft->work || !fft->parts) {
        am_fft_destroy(fft);
        return am_out_of_memory();
    }
    for (int64_t k = 0; k < length; k++) {
        double angle = -2.0 * 3.14159265358979323846 * (double)k / (double)length;
        fft->roots[k] = (am_complex){cos(angle), sin(angle)};
    }
    *out = fft;
    return NULL;
}

void am_fft_destroy(am_fft *fft)
{
    if (!fft) return;
    am_free(fft->roots);
    am_free(fft->work);
    am_free(fft->parts);
    am_free(fft);
}

/* Joins `radix` transforms of `part` points, one after another in `out`, into one of radix * part points:
   with q the number of a part, out[j + k part] = sum over q of parts[q][j] * root^(q (j + k part)). */
static void join(const am_fft *fft, am_complex *out, int64_t radix, int64_t part)
{
    int64_t length = radix * part, step = fft->length / length;
    for (int64_t j = 0; j < part; j++) {
        for (int64_t q = 0; q < radix; q++) fft->parts[q] = out[q * part + j];
        for (int64_t at = j; at < length; at += part) {
            am_complex sum = fft->parts[0];
            int64_t turn = 0;
            for (int64_t q = 1; q < radix; q++) {
                turn += at;
                if (turn >= length) turn -= length;
                am_complex root = fft->roots[turn * step], p = fft->parts[q];
                sum.re += p.re * root.re - p.im * root.im;
                sum.im += p.re * root.im + p.im * root.re;
            }
            out[at] = sum;
        }
    }
}

/* Transforms in[0], in[stride], ...: `length` points. */
static void transform(const am_fft *fft, const int64_t *factors, const double *in, int64_t stride, int64_t length,
                      am_complex *out)
{
    if (length == 1) {
        out[0] = (am_complex){in[0], 0.0};
        return;
    }
    int64_t radix = factors[0], part = length / radix;
    for (int64_t q = 0; q < radix; q++)
        transform(fft, factors + 1, in + q * stride, stride * radix, part, out + q * part);
    join(fft, out, radix, part);
}

void am_fft_real(am_fft *fft, const double *in, am_complex *out)
{
    transform(fft, fft->factors, in, 1, fft->length, fft->work);
    memcpy(out, fft->work, (size_t)(fft->length / 2 + 1) * sizeof *out);
}

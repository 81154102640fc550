#include "media/fft.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

enum { MAX_FACTORS = 32, MAX_LENGTH = 1 << 24 };

struct am_fft {
    int64_t length, points; /* of numbers; of the complex transform: half of an even length */
    int64_t factors[MAX_FACTORS];
    am_complex *roots; /* [points]: exp(-2 pi i k / points) */
    am_complex *turns; /* [points + 1]: exp(-2 pi i k / length), where length is even */
    am_complex *in;    /* [points] */
    am_complex *work;  /* [points] */
    am_complex *parts; /* [2, largest factor] */
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

static am_complex *make_roots(int64_t count, int64_t of)
{
    am_complex *roots = am_alloc_zeroed((size_t)count, sizeof *roots);
    for (int64_t k = 0; roots && k < count; k++) {
        double angle = -2.0 * 3.14159265358979323846 * (double)k / (double)of;
        roots[k] = (am_complex){cos(angle), sin(angle)};
    }
    return roots;
}

am_status am_fft_create(int64_t length, am_fft **out)
{
    *out = NULL;
    if (length < 1 || length > MAX_LENGTH)
        return am_error(AM_INVALID_ARGUMENT, "a transform of %" PRId64 " points; expected 1 to %d", length, MAX_LENGTH);
    am_fft *fft = am_alloc_zeroed(1, sizeof *fft);
    if (!fft) return am_out_of_memory();
    fft->length = length;
    fft->points = length % 2 ? length : length / 2;
    int64_t largest = factorize(fft->points, fft->factors);
    fft->roots = make_roots(fft->points, fft->points);
    fft->turns = make_roots(fft->points + 1, length);
    fft->in = am_alloc_zeroed((size_t)fft->points, sizeof *fft->in);
    fft->work = am_alloc_zeroed((size_t)fft->points, sizeof *fft->work);
    fft->parts = am_alloc_zeroed((size_t)largest, 2 * sizeof *fft->parts);
    if (!fft->roots || !fft->turns || !fft->in || !fft->work || !fft->parts) {
        am_fft_destroy(fft);
        return am_out_of_memory();
    }
    *out = fft;
    return NULL;
}

void am_fft_destroy(am_fft *fft)
{
    if (!fft) return;
    am_free(fft->roots);
    am_free(fft->turns);
    am_free(fft->in);
    am_free(fft->work);
    am_free(fft->parts);
    am_free(fft);
}

static inline am_complex add(am_complex a, am_complex b)
{
    return (am_complex){a.re + b.re, a.im + b.im};
}

static inline am_complex subtract(am_complex a, am_complex b)
{
    return (am_complex){a.re - b.re, a.im - b.im};
}

static inline am_complex multiply(am_complex a, am_complex b)
{
    return (am_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* a + s b, and a + i s b */
static inline am_complex add_scaled(am_complex a, double s, am_complex b)
{
    return (am_complex){a.re + s * b.re, a.im + s * b.im};
}

static inline am_complex add_turned(am_complex a, double s, am_complex b)
{
    return (am_complex){a.re - s * b.im, a.im + s * b.re};
}

static inline void dft2(am_complex *x)
{
    am_complex a = x[0], b = x[1];
    x[0] = add(a, b);
    x[1] = subtract(a, b);
}

static inline void dft3(am_complex *x)
{
    static const double sine = -0.86602540378443864676;
    am_complex a = x[0], sum = add(x[1], x[2]), difference = subtract(x[1], x[2]);
    am_complex middle = add_scaled(a, -0.5, sum);
    x[0] = add(a, sum);
    x[1] = add_turned(middle, sine, difference);
    x[2] = add_turned(middle, -sine, difference);
}

static inline void dft4(am_complex *x)
{
    am_complex a = add(x[0], x[2]), b = subtract(x[0], x[2]), c = add(x[1], x[3]), d = subtract(x[1], x[3]);
    x[0] = add(a, c);
    x[2] = subtract(a, c);
    x[1] = add_turned(b, -1.0, d);
    x[3] = add_turned(b, 1.0, d);
}

static inline void dft5(am_complex *x)
{
    static const double cosine1 = 0.30901699437494742410, cosine2 = -0.80901699437494742410;
    static const double sine1 = -0.95105651629515357212, sine2 = -0.58778525229247312917;
    am_complex a = x[0], sum1 = add(x[1], x[4]), sum2 = add(x[2], x[3]);
    am_complex difference1 = subtract(x[1], x[4]), difference2 = subtract(x[2], x[3]), zero = {0.0, 0.0};
    am_complex even1 = add_scaled(add_scaled(a, cosine1, sum1), cosine2, sum2);
    am_complex even2 = add_scaled(add_scaled(a, cosine2, sum1), cosine1, sum2);
    am_complex odd1 = add_scaled(add_scaled(zero, sine1, difference1), sine2, difference2);
    am_complex odd2 = add_scaled(add_scaled(zero, sine2, difference1), -sine1, difference2);
    x[0] = add(a, add(sum1, sum2));
    x[1] = add_turned(even1, 1.0, odd1);
    x[4] = add_turned(even1, -1.0, odd1);
    x[2] = add_turned(even2, 1.0, odd2);
    x[3] = add_turned(even2, -1.0, odd2);
}

/* Of a prime: by its definition. spare: [radix] */
static void dft_of_prime(const am_fft *fft, am_complex *x, int64_t radix, am_complex *spare)
{
    int64_t step = fft->points / radix;
    for (int64_t k = 0; k < radix; k++) {
        am_complex sum = x[0];
        int64_t turn = 0;
        for (int64_t q = 1; q < radix; q++) {
            turn += k;
            if (turn >= radix) turn -= radix;
            sum = add(sum, multiply(x[q], fft->roots[turn * step]));
        }
        spare[k] = sum;
    }
    for (int64_t k = 0; k < radix; k++) x[k] = spare[k];
}

static inline void dft(const am_fft *fft, am_complex *x, int64_t radix)
{
    switch (radix) {
    case 2:
        dft2(x);
        return;
    case 3:
        dft3(x);
        return;
    case 4:
        dft4(x);
        return;
    case 5:
        dft5(x);
        return;
    default:
        dft_of_prime(fft, x, radix, x + radix);
    }
}

/* Joins `radix` transforms of `part` points, one after another in `out`, into one of radix * part points:
   with q the number of a part, out[j + k part] = sum over q of parts[q][j] * root^(q (j + k part)). */
static void join(const am_fft *fft, am_complex *out, int64_t radix, int64_t part)
{
    int64_t step = fft->points / (radix * part);
    for (int64_t j = 0; j < part; j++) {
        fft->parts[0] = out[j];
        for (int64_t q = 1; q < radix; q++) fft->parts[q] = multiply(out[q * part + j], fft->roots[q * j * step]);
        dft(fft, fft->parts, radix);
        for (int64_t k = 0; k < radix; k++) out[k * part + j] = fft->parts[k];
    }
}

/* Transforms in[0], in[stride], ...: `length` points, 2 at least. */
static void transform(const am_fft *fft, const int64_t *factors, const am_complex *in, int64_t stride, int64_t length,
                      am_complex *out)
{
    int64_t radix = factors[0], part = length / radix;
    if (part == 1) {
        for (int64_t q = 0; q < radix; q++) fft->parts[q] = in[q * stride];
        dft(fft, fft->parts, radix);
        for (int64_t k = 0; k < radix; k++) out[k] = fft->parts[k];
        return;
    }
    for (int64_t q = 0; q < radix; q++)
        transform(fft, factors + 1, in + q * stride, stride * radix, part, out + q * part);
    join(fft, out, radix, part);
}

/* Even and odd numbers were transformed as real and imaginary parts: here they come apart and are joined. */
static void join_halves(const am_fft *fft, am_complex *out)
{
    const am_complex *z = fft->work;
    int64_t points = fft->points;
    for (int64_t k = 0; k <= points; k++) {
        am_complex a = z[k == points ? 0 : k], b = z[k == 0 ? 0 : points - k];
        am_complex even = {0.5 * (a.re + b.re), 0.5 * (a.im - b.im)};
        am_complex odd = {0.5 * (a.im + b.im), -0.5 * (a.re - b.re)};
        out[k] = add(even, multiply(odd, fft->turns[k]));
    }
}

void am_fft_real(am_fft *fft, const double *in, am_complex *out)
{
    bool halves = fft->length % 2 == 0;
    for (int64_t t = 0; t < fft->points; t++)
        fft->in[t] = halves ? (am_complex){in[2 * t], in[2 * t + 1]} : (am_complex){in[t], 0.0};
    if (fft->points == 1) fft->work[0] = fft->in[0];
    else transform(fft, fft->factors, fft->in, 1, fft->points, fft->work);
    if (halves) join_halves(fft, out);
    for (int64_t k = 0; !halves && k <= fft->length / 2; k++) out[k] = fft->work[k];
}

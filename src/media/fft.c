#include "media/fft.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>

enum { MAX_LENGTH = 1 << 20 };

/* Factors of 4 first, which cost less than two of 2, then the primes. */
static int64_t factorize(int64_t length, int64_t factors[AM_FFT_MOST_FACTORS])
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
    fft->largest_factor = factorize(fft->points, fft->factors);
    fft->roots = make_roots(fft->points, fft->points);
    fft->turns = make_roots(fft->points + 1, length);
    if (!fft->roots || !fft->turns) {
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
    am_free(fft);
}

/* One table of am_picture_routines. */
#include "media/vector/vector.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define JOIN2(a, b) a##b
#define JOIN(a, b)  JOIN2(a, b)

/* --- sums of weighted bytes --- */

static uint8_t as_byte(int32_t sum)
{
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static int32_t weight_at(const int16_t *high, const int16_t *low, int64_t t)
{
    return low ? high[t] * (1 << AM_WEIGHT_LOW_BITS) + low[t] : high[t];
}

static void weigh_one(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                      int bits, uint8_t *out)
{
    int32_t sum = 1 << (bits - 1);
    for (int64_t t = 0; t < taps; t++) sum += weight_at(high, low, t) * in[t * stride];
    *out = as_byte(sum >> bits);
}

#if defined(__x86_64__)
/* Bytes in a vector, whose instructions work on lanes of 16 bytes: what `unpack` takes apart `pack` puts together. */
#if defined(AM_VEC_AVX512)
typedef __m512i vector;
#define OP(name)    _mm512_##name
#define LOAD(p)     _mm512_loadu_si512((const void *)(p))
#define STORE(p, v) _mm512_storeu_si512((void *)(p), v)
#define ZERO()      _mm512_setzero_si512()
#elif defined(AM_VEC_AVX2)
typedef __m256i vector;
#define OP(name)    _mm256_##name
#define LOAD(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define ZERO()      _mm256_setzero_si256()
#else
typedef __m128i vector;
#define OP(name)    _mm_##name
#define LOAD(p)     _mm_loadu_si128((const __m128i *)(const void *)(p))
#define STORE(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)
#define ZERO()      _mm_setzero_si128()
#endif
enum { LANES = sizeof(vector), PARTS = 4 };

/* Weights t and t + 1 side by side, as `madd` takes them; the second is 0 after the last. */
static inline vector pair_of(const int16_t *weights, int64_t t, int64_t taps)
{
    uint32_t first = (uint16_t)weights[t], second = t + 1 < taps ? (uint16_t)weights[t + 1] : 0;
    return OP(set1_epi32)((int32_t)(first | second << 16));
}

static inline void add_pairs(const vector pairs[PARTS], vector weights, vector sums[PARTS])
{
    for (int k = 0; k < PARTS; k++) sums[k] = OP(add_epi32)(sums[k], OP(madd_epi16)(pairs[k], weights));
}

/* Two lines of bytes: their neighbours in pairs of 16 bits. */
static inline void interleave(vector a, vector b, vector pairs[PARTS])
{
    vector zero = ZERO(), lower = OP(unpacklo_epi8)(a, b), upper = OP(unpackhi_epi8)(a, b);
    pairs[0] = OP(unpacklo_epi8)(lower, zero);
    pairs[1] = OP(unpackhi_epi8)(lower, zero);
    pairs[2] = OP(unpacklo_epi8)(upper, zero);
    pairs[3] = OP(unpackhi_epi8)(upper, zero);
}

static inline __attribute__((always_inline)) void weigh_vector(const int16_t *high, const int16_t *low, bool has_low,
                                                               int64_t taps, const uint8_t *in, int64_t stride,
                                                               int bits, uint8_t *out)
{
    vector sums[PARTS], rest[PARTS], pairs[PARTS];
    vector half = OP(set1_epi32)(1 << (bits - 1));
    for (int k = 0; k < PARTS; k++) {
        sums[k] = has_low ? ZERO() : half;
        rest[k] = half;
    }
    for (int64_t t = 0; t < taps; t += 2) {
        vector a = LOAD(in + t * stride), b = t + 1 < taps ? LOAD(in + (t + 1) * stride) : ZERO();
        interleave(a, b, pairs);
        add_pairs(pairs, pair_of(high, t, taps), sums);
        if (has_low) add_pairs(pairs, pair_of(low, t, taps), rest);
    }
    __m128i shift = _mm_cvtsi32_si128(bits);
    for (int k = 0; k < PARTS; k++) {
        if (has_low) sums[k] = OP(add_epi32)(OP(slli_epi32)(sums[k], AM_WEIGHT_LOW_BITS), rest[k]);
        sums[k] = OP(sra_epi32)(sums[k], shift);
    }
    STORE(out, OP(packus_epi16)(OP(packs_epi32)(sums[0], sums[1]), OP(packs_epi32)(sums[2], sums[3])));
}

static void weigh(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                  int64_t count, int bits, uint8_t *out)
{
    int64_t x = 0;
    for (; !low && x + LANES <= count; x += LANES) weigh_vector(high, NULL, false, taps, in + x, stride, bits, out + x);
    for (; x + LANES <= count; x += LANES) weigh_vector(high, low, true, taps, in + x, stride, bits, out + x);
    for (; x < count; x++) weigh_one(high, low, taps, in + x, stride, bits, out + x);
}
#else
/* Sixteen sums side by side, of which a compiler makes vectors. */
enum { LANES = 16 };

static void weigh_lanes(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                        int bits, uint8_t *out)
{
    int32_t sums[LANES];
    for (int k = 0; k < LANES; k++) sums[k] = 1 << (bits - 1);
    for (int64_t t = 0; t < taps; t++) {
        int32_t weight = weight_at(high, low, t);
        for (int k = 0; k < LANES; k++) sums[k] += weight * in[t * stride + k];
    }
    for (int k = 0; k < LANES; k++) out[k] = as_byte(sums[k] >> bits);
}

static void weigh(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                  int64_t count, int bits, uint8_t *out)
{
    int64_t x = 0;
    for (; x + LANES <= count; x += LANES) weigh_lanes(high, low, taps, in + x, stride, bits, out + x);
    for (; x < count; x++) weigh_one(high, low, taps, in + x, stride, bits, out + x);
}
#endif

/* --- rows to columns --- */

enum { TILE = 16 };

#if defined(__x86_64__)
/* Shuffles rows i and i + 8 together, four times: each time a bit of the row's number changes place with one of the
   column's. */
static void turn_tile(const uint8_t *in, int64_t in_stride, uint8_t *out, int64_t out_stride)
{
    __m128i a[TILE], b[TILE];
    for (int i = 0; i < TILE; i++) a[i] = _mm_loadu_si128((const __m128i *)(const void *)(in + i * in_stride));
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < TILE / 2; i++) {
            b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + TILE / 2]);
            b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + TILE / 2]);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < TILE; i++) _mm_storeu_si128((__m128i *)(void *)(out + i * out_stride), a[i]);
}
#else
static void turn_tile(const uint8_t *in, int64_t in_stride, uint8_t *out, int64_t out_stride)
{
    for (int r = 0; r < TILE; r++)
        for (int c = 0; c < TILE; c++) out[c * out_stride + r] = in[r * in_stride + c];
}
#endif

static void turn_rest(const uint8_t *in, int64_t in_stride, int64_t rows, int64_t columns, uint8_t *out,
                      int64_t out_stride)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) out[c * out_stride + r] = in[r * in_stride + c];
}

static void turn(const uint8_t *in, int64_t in_stride, int64_t rows, int64_t columns, uint8_t *out, int64_t out_stride)
{
    int64_t whole_rows = rows / TILE * TILE, whole_columns = columns / TILE * TILE;
    for (int64_t c = 0; c < whole_columns; c += TILE)
        for (int64_t r = 0; r < whole_rows; r += TILE)
            turn_tile(in + r * in_stride + c, in_stride, out + c * out_stride + r, out_stride);
    turn_rest(in + whole_columns, in_stride, whole_rows, columns - whole_columns, out + whole_columns * out_stride,
              out_stride);
    turn_rest(in + whole_rows * in_stride, in_stride, rows - whole_rows, columns, out + whole_rows, out_stride);
}

/* --- pixels to planes --- */

#if defined(AM_VEC_AVX2) || defined(AM_VEC_AVX512)
enum { PIXELS = 16 };

/* Of three vectors of 16 bytes: byte k of the result is byte `first` + 3 k of all 48. */
static inline __m128i every_third(__m128i a, __m128i b, __m128i c, __m128i from_a, __m128i from_b, __m128i from_c)
{
    return _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, from_a), _mm_shuffle_epi8(b, from_b)),
                        _mm_shuffle_epi8(c, from_c));
}

/* Where byte k of channel `first` lies in the vector that begins at byte `begin` of the 48; elsewhere 0 comes. */
static __m128i places(int first, int begin)
{
    int8_t at[PIXELS];
    for (int k = 0; k < PIXELS; k++) {
        int place = first + 3 * k - begin;
        at[k] = (int8_t)(place >= 0 && place < PIXELS ? place : -1);
    }
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static int64_t split_vectors(const uint8_t *pixels, int64_t count, uint8_t *planes, int64_t plane)
{
    __m128i from[3][3];
    int64_t i = 0;
    for (int c = 0; c < 3; c++)
        for (int part = 0; part < 3; part++) from[c][part] = places(c, PIXELS * part);
    for (; i + PIXELS <= count; i += PIXELS) {
        const __m128i *in = (const __m128i *)(const void *)(pixels + 3 * i);
        __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1), d = _mm_loadu_si128(in + 2);
        for (int c = 0; c < 3; c++)
            _mm_storeu_si128((__m128i *)(void *)(planes + c * plane + i),
                             every_third(a, b, d, from[c][0], from[c][1], from[c][2]));
    }
    return i;
}
#else
static int64_t split_vectors(const uint8_t *pixels, int64_t count, uint8_t *planes, int64_t plane)
{
    (void)pixels, (void)count, (void)planes, (void)plane;
    return 0;
}
#endif

static void split(const uint8_t *pixels, int64_t count, uint8_t *planes, int64_t plane)
{
    for (int64_t i = split_vectors(pixels, count, planes, plane); i < count; i++)
        for (int64_t c = 0; c < 3; c++) planes[c * plane + i] = pixels[3 * i + c];
}

/* --- values --- */

static void widen(const uint8_t *restrict in, int64_t count, float *restrict out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (float)in[i];
}

static void rescale_bytes(const uint8_t *restrict in, int64_t count, float scale, float *restrict out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (float)in[i] * scale;
}

static void rescale(const float *in, int64_t count, float scale, float *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = in[i] * scale;
}

static void normalize_bytes(const uint8_t *restrict in, int64_t count, am_channel_scale channel, float *restrict out)
{
    for (int64_t i = 0; i < count; i++) out[i] = ((float)in[i] - channel.mean) / channel.std;
}

static void normalize(const float *in, int64_t count, am_channel_scale channel, float *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (in[i] - channel.mean) / channel.std;
}

extern const am_picture_routines JOIN(am_picture_routines_, AM_ISA);
const am_picture_routines JOIN(am_picture_routines_, AM_ISA) = {
    .weigh = weigh,
    .turn = turn,
    .split = split,
    .widen = widen,
    .rescale_bytes = rescale_bytes,
    .rescale = rescale,
    .normalize_bytes = normalize_bytes,
    .normalize = normalize,
};

/* Products of whole numbers of 8 bits: a vector holds AM_WIDTH columns of four neighbours along K each, which are
   multiplied with the same four numbers of x. Sums are exact, so that their order does not matter.

   Where the level has no product of signed bytes, bytes are multiplied by halves of 0 .. 15, which leaves room for
   AM_DOT_STEPS such products in 16 bits; whole bytes then count from -128 (AM_DOT_BYTE_OFFSET): what comes out is the
   sum over (w + offset) x. */
#ifndef AM_TARGETS_CPU_KERNELS_DOT_H
#define AM_TARGETS_CPU_KERNELS_DOT_H

#include "targets/cpu/kernels/micro.h"

typedef int8_t vb __attribute__((vector_size(4 * AM_WIDTH)));
typedef int8_t vb_unaligned __attribute__((vector_size(4 * AM_WIDTH), aligned(1), may_alias));
typedef int16_t vs __attribute__((vector_size(4 * AM_WIDTH)));
typedef uint16_t vus __attribute__((vector_size(4 * AM_WIDTH)));

/* So many steps of four numbers along K may be added into one vsums. */
enum { AM_DOT_STEPS = 8 };

AM_INLINE vb vload_bytes(const void *p)
{
    return *(const vb_unaligned *)p;
}

/* Four numbers of x, for every column. */
AM_INLINE vb vrepeat4(const int8_t *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return (vb)(four - (vi){0});
}

AM_INLINE vb vlower_half(vb w)
{
    return w & 15;
}
AM_INLINE vb vupper_half(vb w)
{
    return (vb)((vus)w >> 4) & 15;
}

#if defined(AM_VEC_AVX2) || defined(AM_VEC_AVX512)
enum { AM_DOT_BYTE_OFFSET = 128 };

typedef struct vsums {
    vs lower, upper; /* of halves, pairs of neighbours; upper is for bytes */
} vsums;

/* Products of 0 .. 15 with x, of neighbours added. */
AM_INLINE vs vpairs(vb w, vb x)
{
#if defined(AM_VEC_AVX512)
    return (vs)_mm512_maddubs_epi16((__m512i)w, (__m512i)x);
#else
    return (vs)_mm256_maddubs_epi16((__m256i)w, (__m256i)x);
#endif
}

/* Pairs times `factor`, added to one number a column. */
AM_INLINE vi vadd_pairs(vs pairs, int16_t factor)
{
#if defined(AM_VEC_AVX512)
    return (vi)_mm512_madd_epi16((__m512i)pairs, _mm512_set1_epi16(factor));
#else
    return (vi)_mm256_madd_epi16((__m256i)pairs, _mm256_set1_epi16(factor));
#endif
}

AM_INLINE void vdot_halves(vsums *sums, vb w, vb x)
{
    sums->lower += vpairs(w, x);
}
AM_INLINE void vdot_bytes(vsums *sums, vb w, vb x)
{
    sums->lower += vpairs(vlower_half(w), x);
    sums->upper += vpairs(vupper_half(w) ^ 8, x);
}
AM_INLINE vi vtotal_halves(const vsums *sums)
{
    return vadd_pairs(sums->lower, 1);
}
AM_INLINE vi vtotal_bytes(const vsums *sums)
{
    return vadd_pairs(sums->lower, 1) + vadd_pairs(sums->upper, 16);
}

#elif defined(AM_VEC_NEON)
enum { AM_DOT_BYTE_OFFSET = 0 };

typedef struct vsums {
    vi all;
} vsums;

AM_INLINE void vdot_bytes(vsums *sums, vb w, vb x)
{
#if defined(__ARM_FEATURE_DOTPROD)
    sums->all = (vi)vdotq_s32((int32x4_t)sums->all, (int8x16_t)w, (int8x16_t)x);
#else
    int16x8_t first = vmull_s8(vget_low_s8((int8x16_t)w), vget_low_s8((int8x16_t)x));
    int16x8_t second = vmull_s8(vget_high_s8((int8x16_t)w), vget_high_s8((int8x16_t)x));
    sums->all += (vi)vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second));
#endif
}
AM_INLINE void vdot_halves(vsums *sums, vb w, vb x)
{
    vdot_bytes(sums, w, x);
}
AM_INLINE vi vtotal_halves(const vsums *sums)
{
    return sums->all;
}
AM_INLINE vi vtotal_bytes(const vsums *sums)
{
    return sums->all;
}

#else /* SSE2 */
enum { AM_DOT_BYTE_OFFSET = 0 };

typedef struct vsums {
    vi first, second; /* two numbers for each of the columns 0, 1 and 2, 3 */
} vsums;

AM_INLINE __m128i vwiden_first(vb v)
{
    return _mm_srai_epi16(_mm_unpacklo_epi8((__m128i)v, (__m128i)v), 8);
}
AM_INLINE __m128i vwiden_second(vb v)
{
    return _mm_srai_epi16(_mm_unpackhi_epi8((__m128i)v, (__m128i)v), 8);
}
AM_INLINE void vdot_bytes(vsums *sums, vb w, vb x)
{
    __m128i wide = vwiden_first(x);
    sums->first += (vi)_mm_madd_epi16(vwiden_first(w), wide);
    sums->second += (vi)_mm_madd_epi16(vwiden_second(w), wide);
}
AM_INLINE void vdot_halves(vsums *sums, vb w, vb x)
{
    vdot_bytes(sums, w, x);
}
AM_INLINE vi vtotal_bytes(const vsums *sums)
{
    __m128 first = (__m128)sums->first, second = (__m128)sums->second;
    return (vi)_mm_shuffle_ps(first, second, 0x88) + (vi)_mm_shuffle_ps(first, second, 0xdd);
}
AM_INLINE vi vtotal_halves(const vsums *sums)
{
    return vtotal_bytes(sums);
}
#endif

#endif

/* Products of whole numbers of 8 bits: a vector holds AM_WIDTH columns of four neighbours along K each, which are
   multiplied with the same four numbers of x. Numbers of the weight, bytes or halves of one, count from their middle,
   128 or 8, as am_quantized_linear_attributes has them. Sums are exact, so that their order does not matter.

   Where the level multiplies unsigned bytes by signed ones into 16 bits, there is room for AM_DOT_STEPS such products
   with halves of 0 .. 15, and sums begin with what the middle makes of them (`middle`, am_quantized_rows). */
#ifndef AM_TARGETS_CPU_KERNELS_DOT_H
#define AM_TARGETS_CPU_KERNELS_DOT_H

#include "targets/cpu/kernels/micro.h"

typedef uint8_t vb __attribute__((vector_size(4 * AM_WIDTH)));
typedef uint8_t vb_unaligned __attribute__((vector_size(4 * AM_WIDTH), aligned(1), may_alias));
typedef uint16_t vs __attribute__((vector_size(4 * AM_WIDTH)));

/* So many steps of four numbers along K may be added into one vsums. */
enum { AM_DOT_STEPS = 8 };

AM_INLINE vb vload_bytes(const void *p)
{
    return *(const vb_unaligned *)p;
}

/* Four bytes, for every column. */
AM_INLINE vi vrepeat4(const void *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return four - (vi){0};
}

/* Whole numbers of -128 .. 127 as bytes. */
AM_INLINE void vstore_narrow(int8_t *p, vi v)
{
#if defined(AM_VEC_AVX512)
    _mm_storeu_si128((__m128i_u *)p, _mm512_cvtepi32_epi8((__m512i)v));
#elif defined(AM_VEC_AVX2)
    __m128i pairs = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    _mm_storel_epi64((__m128i_u *)p, _mm_packs_epi16(pairs, pairs));
#else
    for (int i = 0; i < AM_WIDTH; i++) p[i] = (int8_t)v[i];
#endif
}

AM_INLINE vb vlower_half(vb w)
{
    return w & 15;
}
AM_INLINE vb vupper_half(vb w)
{
    return (vb)((vs)w >> 4) & 15;
}

#if defined(AM_VEC_AVX2) || defined(AM_VEC_AVX512)
typedef struct vsums {
    vs lower, upper; /* products of halves, of two neighbours; upper is for bytes only */
} vsums;

/* Products of 0 .. 15 with x, of neighbours added. */
AM_INLINE vs vpairs(vb w, vi x)
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

AM_INLINE vsums vstart_halves(const int16_t *middle)
{
    return (vsums){.lower = (vs)vrepeat4(middle)};
}
AM_INLINE vsums vstart_bytes(const int16_t *middle)
{
    return (vsums){.upper = (vs)vrepeat4(middle)};
}
AM_INLINE void vdot_halves(vsums *sums, vb w, vi x)
{
    sums->lower += vpairs(w, x);
}
AM_INLINE void vdot_bytes(vsums *sums, vb w, vi x)
{
    sums->lower += vpairs(vlower_half(w), x);
    sums->upper += vpairs(vupper_half(w), x);
}
AM_INLINE vi vtotal_halves(const vsums *sums)
{
    return vadd_pairs(sums->lower, 1);
}
AM_INLINE vi vtotal_bytes(const vsums *sums)
{
    return vadd_pairs(sums->lower, 1) + vadd_pairs(sums->upper, 16);
}

#else /* levels with products of signed numbers */

#if defined(AM_VEC_NEON)
typedef struct vsums {
    vi all;
} vsums;

AM_INLINE void vdot(vsums *sums, vb w, vi x)
{
#if defined(__ARM_FEATURE_DOTPROD)
    sums->all = (vi)vdotq_s32((int32x4_t)sums->all, (int8x16_t)w, (int8x16_t)x);
#else
    int16x8_t first = vmull_s8(vget_low_s8((int8x16_t)w), vget_low_s8((int8x16_t)x));
    int16x8_t second = vmull_s8(vget_high_s8((int8x16_t)w), vget_high_s8((int8x16_t)x));
    sums->all += (vi)vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second));
#endif
}
AM_INLINE vi vtotal(const vsums *sums)
{
    return sums->all;
}
#else /* SSE2 */
typedef struct vsums {
    vi first, second; /* two numbers for each of the columns 0, 1 and 2, 3 */
} vsums;

AM_INLINE __m128i vwiden_first(__m128i v)
{
    return _mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8);
}
AM_INLINE __m128i vwiden_second(__m128i v)
{
    return _mm_srai_epi16(_mm_unpackhi_epi8(v, v), 8);
}
AM_INLINE void vdot(vsums *sums, vb w, vi x)
{
    __m128i wide = vwiden_first((__m128i)x);
    sums->first += (vi)_mm_madd_epi16(vwiden_first((__m128i)w), wide);
    sums->second += (vi)_mm_madd_epi16(vwiden_second((__m128i)w), wide);
}
AM_INLINE vi vtotal(const vsums *sums)
{
    __m128 first = (__m128)sums->first, second = (__m128)sums->second;
    return (vi)_mm_shuffle_ps(first, second, 0x88) + (vi)_mm_shuffle_ps(first, second, 0xdd);
}
#endif

AM_INLINE vsums vstart_halves(const int16_t *middle)
{
    (void)middle;
    return (vsums){0};
}
AM_INLINE vsums vstart_bytes(const int16_t *middle)
{
    return vstart_halves(middle);
}
AM_INLINE void vdot_halves(vsums *sums, vb w, vi x)
{
    vdot(sums, w - 8, x);
}
AM_INLINE void vdot_bytes(vsums *sums, vb w, vi x)
{
    vdot(sums, w ^ 128, x);
}
AM_INLINE vi vtotal_halves(const vsums *sums)
{
    return vtotal(sums);
}
AM_INLINE vi vtotal_bytes(const vsums *sums)
{
    return vtotal(sums);
}
#endif

#endif

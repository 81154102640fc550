/* Products of whole numbers of 8 bits: a vector holds AM_WIDTH columns of four neighbours along K each, which are
   multiplied with the same four numbers of x. Numbers of the weight, bytes or halves of one, count from their middle,
   128 or 8, as am_quantized_linear_attributes has them. Sums are exact, so that their order does not matter.

   On x86 the weight's are counted from 0, and sums begin with what the middle makes of them (`middle`,
   am_quantized_rows). VNNI multiplies unsigned bytes by signed ones. Without it numbers of 16 bits are multiplied;
   halves, where there is an instruction for unsigned bytes with signed ones, in 16 bits, which hold AM_DOT_STEPS such
   products. */
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

/* The same as numbers of 16 bits, of each four the numbers 0, 2, 1, 3. */
AM_INLINE void vstore_wide(int16_t *p, vi v)
{
#if defined(AM_VEC_AVX512)
    __m256i all = _mm512_cvtepi32_epi16((__m512i)v);
    _mm256_storeu_si256((__m256i_u *)p, _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(all, 0xd8), 0xd8));
#elif defined(AM_VEC_AVX2)
    __m128i all = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    _mm_storeu_si128((__m128i_u *)p, _mm_shufflehi_epi16(_mm_shufflelo_epi16(all, 0xd8), 0xd8));
#else
    for (int i = 0; i < 4; i++) p[i] = (int16_t)v[i / 2 + i % 2 * 2];
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

/* A sum for each column; where products are added in 16 bits, two. */
typedef struct vsums {
    vi all;
} vsums;

/* A vector of the weight and four numbers of x, as they are multiplied. */
typedef struct vweight {
    vs even, odd; /* of 16 bits: the numbers 0 and 2 of each four, and 1 and 3; else `even` has all four */
} vweight;
typedef struct vfour {
    vi even, odd;
} vfour;

#if defined(AM_VEC_NEON) || defined(__AVX512VNNI__) || defined(__AVXVNNI__)
/* Four products at once, of bytes. */
AM_INLINE bool vreads_wide(int bits)
{
    (void)bits;
    return false;
}
AM_INLINE vi vtotal(int bits, const vsums *sums)
{
    (void)bits;
    return sums->all;
}
AM_INLINE vsums vstart(int bits, const int16_t *middle)
{
#if defined(AM_VEC_NEON) /* signed bytes */
    (void)bits, (void)middle;
    return (vsums){0};
#else
    return (vsums){(middle[0] + middle[1]) * (bits == 8 ? 16 : 1) - (vi){0}};
#endif
}
AM_INLINE vweight vready(int bits, vb w)
{
#if defined(AM_VEC_NEON)
    return (vweight){.even = (vs)(bits == 8 ? w - 128 : w - 8)};
#else
    (void)bits;
    return (vweight){.even = (vs)w};
#endif
}
AM_INLINE void vdot(int bits, vsums *sums, vweight w, vfour x)
{
    (void)bits;
#if defined(AM_VEC_AVX512)
    sums->all = (vi)_mm512_dpbusd_epi32((__m512i)sums->all, (__m512i)w.even, (__m512i)x.even);
#elif defined(AM_VEC_AVX2)
    sums->all = (vi)_mm256_dpbusd_avx_epi32((__m256i)sums->all, (__m256i)w.even, (__m256i)x.even);
#elif defined(__ARM_FEATURE_DOTPROD)
    sums->all = (vi)vdotq_s32((int32x4_t)sums->all, (int8x16_t)w.even, (int8x16_t)x.even);
#else
    int16x8_t first = vmull_s8(vget_low_s8((int8x16_t)w.even), vget_low_s8((int8x16_t)x.even));
    int16x8_t second = vmull_s8(vget_high_s8((int8x16_t)w.even), vget_high_s8((int8x16_t)x.even));
    sums->all += (vi)vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second));
#endif
}

#else /* x86 without VNNI */
#if defined(AM_VEC_AVX2) || defined(AM_VEC_AVX512)
enum { AM_DOT_HAS_BYTES = true };
#else
enum { AM_DOT_HAS_BYTES = false };
#endif

/* Whether x is read as numbers of 16 bits. */
AM_INLINE bool vreads_wide(int bits)
{
    return bits == 8 || !AM_DOT_HAS_BYTES;
}

/* Products of numbers of 16 bits, those of two neighbours added. */
AM_INLINE vi vmultiply_wide(vs a, vi b)
{
#if defined(AM_VEC_AVX512)
    return (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(AM_VEC_AVX2)
    return (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

/* sum += such products. */
AM_INLINE void vadd_wide(vi *sum, vs w, vi x)
{
#if defined(AM_VEC_AVX2)
    /* Compilers would add products to each other before they add them to a sum, for which there are too few registers.
     */
    vi product;
    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(*sum), "=&x"(product) : "x"(w), "x"(x));
#else
    *sum += vmultiply_wide(w, x);
#endif
}

/* sum += products of 0 .. 15 with numbers of 8 bits, those of two neighbours added to 16 bits. */
AM_INLINE void vadd_bytes(vi *sum, vs w, vi x)
{
#if defined(AM_VEC_AVX512)
    *sum = (vi)((vs)*sum + (vs)_mm512_maddubs_epi16((__m512i)w, (__m512i)x));
#elif defined(AM_VEC_AVX2)
    vi product;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(*sum), "=&x"(product) : "x"(w), "x"(x));
#else
    (void)sum, (void)w, (void)x; /* AM_DOT_HAS_BYTES is false */
#endif
}

AM_INLINE vsums vstart(int bits, const int16_t *middle)
{
    vi pairs = vrepeat4(middle), factor = ((bits == 8 ? 16 : 1) * 0x10001) - (vi){0};
    return (vsums){vreads_wide(bits) ? vmultiply_wide((vs)pairs, factor) : pairs};
}
AM_INLINE vweight vready(int bits, vb w)
{
    vs pairs = (vs)w;
    return vreads_wide(bits) ? (vweight){pairs & 255, pairs >> 8} : (vweight){.even = pairs};
}
AM_INLINE void vdot(int bits, vsums *sums, vweight w, vfour x)
{
    if (!vreads_wide(bits)) vadd_bytes(&sums->all, w.even, x.even);
    else {
        vadd_wide(&sums->all, w.even, x.even);
        vadd_wide(&sums->all, w.odd, x.odd);
    }
}
AM_INLINE vi vtotal(int bits, const vsums *sums)
{
    return vreads_wide(bits) ? sums->all : vmultiply_wide((vs)sums->all, 0x10001 - (vi){0});
}
#endif

/* The four numbers of x from k on, for every column. */
AM_INLINE vfour vload_four(int bits, const void *x, int64_t k)
{
    if (!vreads_wide(bits)) return (vfour){.even = vrepeat4((const int8_t *)x + k)};
    return (vfour){vrepeat4((const int16_t *)x + k), vrepeat4((const int16_t *)x + k + 2)};
}

#endif

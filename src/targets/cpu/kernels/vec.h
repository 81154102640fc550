/* Vectors of floats of the level a *_tmpl.c file is compiled for: AM_WIDTH lanes in a vf. Arithmetic and
   comparisons are the compilers' own operators on vectors. Lanes never look at each other but in vsum, vsum4
   and vtop_end. */
#ifndef AM_TARGETS_CPU_KERNELS_VEC_H
#define AM_TARGETS_CPU_KERNELS_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(AM_VEC_AVX512)
#define AM_WIDTH 16
#elif defined(AM_VEC_AVX2)
#define AM_WIDTH 8
#else
#define AM_WIDTH 4
#endif

#define AM_INLINE static inline __attribute__((always_inline, unused))

/* am_cpu_NAME_avx2; AM_BASE: of the level that this one refines, or of itself. */
#define AM_JOIN3(a, b, c) a##b##_##c
#define AM_JOIN(a, b, c)  AM_JOIN3(a, b, c)
#define AM_TEMPLATE(name) AM_JOIN(am_cpu_, name, AM_ISA)
#define AM_BASE(name)     AM_JOIN(am_cpu_, name, AM_ISA_BASE)

typedef float vf __attribute__((vector_size(4 * AM_WIDTH)));
typedef int32_t vi __attribute__((vector_size(4 * AM_WIDTH)));
typedef uint32_t vu __attribute__((vector_size(4 * AM_WIDTH)));
typedef float vf_unaligned __attribute__((vector_size(4 * AM_WIDTH), aligned(4), may_alias));
typedef float v4 __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint16_t vhalf __attribute__((vector_size(2 * AM_WIDTH), aligned(2), may_alias));

AM_INLINE vf vload(const float *p)
{
    return *(const vf_unaligned *)p;
}
AM_INLINE void vstore(float *p, vf v)
{
    *(vf_unaligned *)p = v;
}
AM_INLINE vf vset(float x)
{
    return x - (vf){0};
}

/* The first n < AM_WIDTH elements; the other lanes are 0, or stay unwritten. */
AM_INLINE vf vload_part(const float *p, int64_t n)
{
#if defined(AM_VEC_AVX512)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(AM_VEC_AVX2)
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (vf)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes));
#else
    vf v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
#endif
}

AM_INLINE void vstore_part(float *p, vf v, int64_t n)
{
#if defined(AM_VEC_AVX512)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    memcpy(p, &v, (size_t)n * sizeof *p);
#endif
}

/* n of 1..AM_WIDTH elements. */
AM_INLINE vf vload_n(const float *p, int64_t n)
{
    return n == AM_WIDTH ? vload(p) : vload_part(p, n);
}

AM_INLINE void vstore_n(float *p, vf v, int64_t n)
{
    if (n == AM_WIDTH) vstore(p, v);
    else vstore_part(p, v, n);
}

/* a * b + c, rounded once where the level has such an instruction. */
AM_INLINE vf vfma(vf a, vf b, vf c)
{
#if defined(AM_VEC_AVX512)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(AM_VEC_AVX2)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(AM_VEC_NEON)
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

/* mask lanes are all ones or all zeros. */
AM_INLINE vf vselect(vi mask, vf yes, vf no)
{
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* NaN wins in both. */
AM_INLINE vf vmax(vf a, vf b)
{
    return vselect((vi)(a > b) | (vi)(a != a), a, b);
}
/* 0 for what is below 0; NaN stays. */
AM_INLINE vf vrelu(vf x)
{
    return vselect((vi)(x > 0.0f) | (vi)(x != x), x, vset(0));
}
AM_INLINE vf vmin(vf a, vf b)
{
    return vselect((vi)(a < b) | (vi)(a != a), a, b);
}

AM_INLINE vf vabs(vf x)
{
    return (vf)((vi)x & 0x7fffffff);
}
AM_INLINE vf vsign_of(vf x, vf sign)
{
    return (vf)(((vi)x & 0x7fffffff) | ((vi)sign & INT32_MIN));
}

/* Sums the lanes of four vectors at once; every lane goes through the same tree. */
AM_INLINE v4 vquarters(vf v)
{
#if AM_WIDTH == 16
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
    return (v4)_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#elif AM_WIDTH == 8
    return (v4)_mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
#else
    return v;
#endif
}

AM_INLINE v4 vsum4(vf a, vf b, vf c, vf d)
{
    v4 p = vquarters(a), q = vquarters(b), r = vquarters(c), s = vquarters(d);
#if defined(__x86_64__)
    __m128 x = _mm_add_ps(_mm_unpacklo_ps((__m128)p, (__m128)q), _mm_unpackhi_ps((__m128)p, (__m128)q));
    __m128 y = _mm_add_ps(_mm_unpacklo_ps((__m128)r, (__m128)s), _mm_unpackhi_ps((__m128)r, (__m128)s));
    return (v4)_mm_add_ps(_mm_movelh_ps(x, y), _mm_movehl_ps(y, x));
#else
    return (v4){(p[0] + p[2]) + (p[1] + p[3]), (q[0] + q[2]) + (q[1] + q[3]), (r[0] + r[2]) + (r[1] + r[3]),
                (s[0] + s[2]) + (s[1] + s[3])};
#endif
}

AM_INLINE float vsum(vf v)
{
    v4 p = vquarters(v);
    return (p[0] + p[2]) + (p[1] + p[3]);
}

/* The largest number of what was shown to it, or a NaN; begins as -infinity. */
typedef struct vtop {
    vf most;
#if defined(AM_VEC_AVX512)
    __mmask16 nan;
#endif
} vtop;

AM_INLINE vtop vtop_start(void)
{
    return (vtop){.most = vset(-__builtin_inff())};
}
AM_INLINE void vtop_show(vtop *top, vf x)
{
#if defined(AM_VEC_AVX512)
    top->most = (vf)_mm512_max_ps((__m512)x, (__m512)top->most);
    top->nan |= _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q);
#else
    top->most = vmax(x, top->most);
#endif
}
AM_INLINE float vtop_end(const vtop *top)
{
    v4 quarters[AM_WIDTH / 4], most;
#if defined(AM_VEC_AVX512)
    if (top->nan) return __builtin_nanf("");
#endif
    memcpy(quarters, &top->most, sizeof quarters);
    most = quarters[0];
    for (int i = 1; i < AM_WIDTH / 4; i++) {
        v4i larger = (v4i)(quarters[i] > most) | (v4i)(quarters[i] != quarters[i]);
        most = (v4)((larger & (v4i)quarters[i]) | (~larger & (v4i)most));
    }
    float best = most[0];
    for (int i = 1; i < 4; i++)
        if (most[i] > best || most[i] != most[i]) best = most[i];
    return best;
}

/* The larger; b where one is a NaN. */
AM_INLINE vf vlarger(vf a, vf b)
{
#if defined(AM_VEC_AVX512)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return vselect((vi)(a > b), a, b);
#endif
}

/* The largest lane, of which none is a NaN, without branches: which it is cannot be foreseen. */
AM_INLINE float vlargest(vf v)
{
    v4 quarters[AM_WIDTH / 4], most;
    memcpy(quarters, &v, sizeof quarters);
    most = quarters[0];
    for (int i = 1; i < AM_WIDTH / 4; i++) {
        v4i larger = (v4i)(quarters[i] > most);
        most = (v4)((larger & (v4i)quarters[i]) | (~larger & (v4i)most));
    }
    float low = most[0] > most[1] ? most[0] : most[1], high = most[2] > most[3] ? most[2] : most[3];
    return low > high ? low : high;
}

/* AM_WIDTH numbers of two bytes, widened. */
AM_INLINE vf vwiden_bf16(const uint16_t *p)
{
#if defined(AM_VEC_AVX512)
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)p)), 16);
#elif defined(AM_VEC_AVX2)
    return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)p)), 16);
#elif defined(__x86_64__)
    return (vf)_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i_u *)p));
#else
    return (vf)(__builtin_convertvector(*(const vhalf *)p, vi) << 16);
#endif
}

AM_INLINE vf vwiden_f16(const uint16_t *p)
{
#if defined(AM_VEC_AVX512)
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i_u *)p));
#elif defined(AM_VEC_AVX2)
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i_u *)p));
#else
    /* Exponent and mantissa moved up and rescaled by 2^112 (exact, subnormal numbers too); infinities and NaN
     * get the top exponent. */
    vi bits = __builtin_convertvector(*(const vhalf *)p, vi), magnitude = (bits & 0x7fff) << 13,
       sign = (bits & 0x8000) << 16;
    vi top = (vi)(magnitude >= (0x7c00 << 13));
    vf scaled = (vf)magnitude * 0x1p112f;
    return (vf)((vi)vselect(top, (vf)(magnitude | 0x7f800000), scaled) | sign);
#endif
}

/* --- pairs: two BF16 in the place of a float, the first in its lower half --- */

/* The nearest BF16, to even, as the upper half of each lane, zeros below; NaN stays one. */
AM_INLINE vu vround_bf16(vf x)
{
    vu bits = (vu)x, odd = (bits >> 16) & 1, nan = (vu)(x != x);
    return ((nan & (bits | 0x400000)) | (~nan & (bits + 0x7fff + odd))) & 0xffff0000;
}

AM_INLINE vf vpair(vf first, vf second)
{
#if defined(__AVX512BF16__)
    const __m512i turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (vf)_mm512_permutexvar_epi16(turns, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
#else
    return (vf)((vround_bf16(first) >> 16) | vround_bf16(second));
#endif
}

/* AM_WIDTH numbers as BF16. */
AM_INLINE void vstore_bf16(uint16_t *p, vf x)
{
#if defined(__AVX512BF16__)
    _mm256_storeu_si256((__m256i_u *)p, (__m256i)_mm512_cvtneps_pbh((__m512)x));
#else
    *(vhalf *)p = __builtin_convertvector(vround_bf16(x) >> 16, vhalf);
#endif
}

/* The pair at p, in every lane. */
AM_INLINE vf vrepeat_pair(const float *p)
{
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return (vf)(pair - (vi){0});
}

/* c + the products of the first and of the second numbers; the order of both sums is the level's. */
AM_INLINE vf vdot_pairs(vf a, vf b, vf c)
{
#if defined(__AVX512BF16__)
    return (vf)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    return (vf)vbfdotq_f32((float32x4_t)c, vreinterpretq_bf16_f32((float32x4_t)a),
                           vreinterpretq_bf16_f32((float32x4_t)b));
#else
    c = vfma((vf)((vu)a << 16), (vf)((vu)b << 16), c);
    return vfma((vf)((vu)a & 0xffff0000), (vf)((vu)b & 0xffff0000), c);
#endif
}

/* --- functions --- */

/* Nearest whole number for |x| < 2^22. */
AM_INLINE vf vround(vf x)
{
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

/* 2^n for whole n in -126..127. */
AM_INLINE vf vpower2(vf n)
{
    return (vf)((__builtin_convertvector(n, vi) + 127) << 23);
}

/* e^r where x = n ln 2 + r, |r| <= ln 2 / 2: 1 + r + r^2 P(r) with P fitted on Chebyshev points. */
AM_INLINE vf vexp_rest(vf x, vf n)
{
    vf r = vfma(n, vset(-0x1.62e400p-1f), x); /* ln 2 in two parts, the first with few bits */
    r = vfma(n, vset(-0x1.7f7d1cp-20f), r);
    vf p = vset(0.00019899391918443143f);
    p = vfma(p, r, vset(0.0013933733571320772f));
    p = vfma(p, r, vset(0.0083332983776927f));
    p = vfma(p, r, vset(0.041666463017463684f));
    p = vfma(p, r, vset(0.1666666716337204f));
    p = vfma(p, r, vset(0.5f));
    return vfma(p * r, r, r) + 1.0f;
}

#if defined(AM_VEC_AVX512)
/* x of -104 .. 89 or a NaN: 2^n e^r, which over- and underflows as it should. */
AM_INLINE vf vexp_clamped(vf x)
{
    vf n = (vf)_mm512_roundscale_ps((__m512)(x * 0x1.715476p+0f), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return (vf)_mm512_scalef_ps((__m512)vexp_rest(x, n), (__m512)n);
}
#endif

/* e^x within about 1 ulp: 2^n e^r. The power of two is applied in halves so that results over- and underflow as they
 * should.
 */
AM_INLINE vf vexp(vf x)
{
#if defined(AM_VEC_AVX512)
    __m512 least = _mm512_max_ps(_mm512_set1_ps(-104.0f), (__m512)x); /* of a NaN the second operand */
    return vexp_clamped((vf)_mm512_min_ps(_mm512_set1_ps(89.0f), least));
#else
    vf clamped = vmin(vmax(x, vset(-104.0f)), vset(89.0f));
    vi nan = (vi)(x != x);
    clamped = vselect(nan, vset(0), clamped);
    vf n = vround(clamped * 0x1.715476p+0f), half = vround(n * 0.5f);
    vf y = vexp_rest(clamped, n) * vpower2(half) * vpower2(n - half);
    return vselect(nan, x, y);
#endif
}

/* vexp for x <= 0; may be 0 below -87 (where e^x is 1.6e-38), and is below -104. */
AM_INLINE vf vexp_falling(vf x)
{
#if defined(AM_VEC_AVX512)
    return vexp_clamped((vf)_mm512_max_ps(_mm512_set1_ps(-104.0f), (__m512)x));
#else
    vi vanishes = (vi)(x < -87.0f);
    vf t = vselect(vanishes, vset(-87.0f), x), n = vround(t * 0x1.715476p+0f);
    return (vf)(~vanishes & (vi)(vexp_rest(t, n) * vpower2(n)));
#endif
}

#if defined(AM_VEC_AVX512)
/* 2^t within 2^-13.5 of it, for numbers that are rounded to BF16: t = n + r, 0 <= r < 1, 2^n times a cubic of r. */
AM_INLINE vf vpower2_bf16(vf t)
{
    vf r = (vf)_mm512_reduce_ps((__m512)t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); /* 0 of the infinities */
    vf p = vfma(r, vset(0.07802452f), vset(0.22606717f));
    p = vfma(p, r, vset(0.6958335f));
    return (vf)_mm512_scalef_ps((__m512)vfma(p, r, vset(0.9999252f)), (__m512)t);
}
#else
/* The same for t <= 0. */
AM_INLINE vf vpower2_bf16(vf t)
{
    return vexp_falling(0.69314718f * t);
}
#endif

/* x + x^3 P(x^2) below 0.625, else 1 - 2 / (e^2x + 1). */
AM_INLINE vf vtanh(vf x)
{
    vf t = vabs(x), s = x * x;
    vf large = 1.0f - 2.0f / (vexp(t + t) + 1.0f);
    vf p = vset(0.0022724370937794447f);
    p = vfma(p, s, vset(-0.008326107636094093f));
    p = vfma(p, s, vset(0.0217635165899992f));
    p = vfma(p, s, vset(-0.053958602249622345f));
    p = vfma(p, s, vset(0.1333330124616623f));
    p = vfma(p, s, vset(-0.3333333432674408f));
    vf small = vfma(p * s, x, x);
    return vsign_of(vselect((vi)(t < 0.625f), small, large), x); /* of -0, too */
}

/* x Q(x^2) below 0.9, else 1 - e^P(|x|) with P fitted to log erfc; 1 from 4 on. */
AM_INLINE vf verf(vf x)
{
    vf t = vmin(vabs(x), vset(4.0f)), s = t * t;
    vf p = vset(0.00019788564532063901f);
    p = vfma(p, t, vset(-0.003062134375795722f));
    p = vfma(p, t, vset(0.022301645949482918f));
    p = vfma(p, t, vset(-0.10408538579940796f));
    p = vfma(p, t, vset(-0.6370082497596741f));
    p = vfma(p, t, vset(-1.12777841091156f));
    p = vfma(p, t, vset(-0.00017094393842853606f));
    vf large = vsign_of(1.0f - vexp(p), x);
    vf q = vset(7.8824938100297e-05f);
    q = vfma(q, s, vset(-0.0008018853841349483f));
    q = vfma(q, s, vset(0.005189311690628529f));
    q = vfma(q, s, vset(-0.02685432881116867f));
    q = vfma(q, s, vset(0.11283597350120544f));
    q = vfma(q, s, vset(-0.3761262595653534f));
    q = vfma(q, s, vset(0.12837916612625122f)); /* 2 / sqrt(pi) - 1 */
    vf small = vfma(q, x, x);
    vf y = vselect((vi)(t < 0.9f), small, large);
    return vselect((vi)(x != x), x, y);
}

#endif

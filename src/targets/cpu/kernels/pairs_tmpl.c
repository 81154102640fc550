/* Products of numbers rounded to BF16, with sums in F32: panels (panel.h) of pairs along K. */
#include "targets/cpu/kernels/panel.h"

#include "targets/cpu/kernels/turn.h"
#if defined(__AMX_BF16__)
#include "targets/cpu/kernels/amx.h"
#endif

void AM_TEMPLATE(gemm_pairs)(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                             const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending)
{
#if defined(__AMX_BF16__)
    multiply_amx(M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
#else
    multiply_form(FORM_PAIRS, M, columns, K, (const float *)a, lda, panel, next, c, ldc, accumulate, ending);
#endif
}

/* --- rounding --- */

void AM_TEMPLATE(round_pairs)(const float *x, int64_t count, am_pair *pairs)
{
    uint16_t *to = (uint16_t *)pairs;
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore_bf16(to + i, vload(x + i));
    for (; i < count; i++) to[i] = am_f32_to_bf16(x[i]);
    if (count % 2) to[count] = 0;
}

/* --- functions of which the result is rounded --- */

#if defined(AM_VEC_AVX512)
#define HAS_SHORT_FUNCTIONS 1

/* Of |x|, a NaN as it is. */
AM_INLINE vf at_most(float most, vf x)
{
    return (vf)_mm512_min_ps(_mm512_set1_ps(most), (__m512)x);
}

/* x from 0 on, else 0; less t times the share that 1 has beside 2^rise. Each of these functions is x times a share that
   a step from 0 to 1 has at x, which is as far from 0 at -|x| as from 1 at |x|. */
AM_INLINE vf step_of(vf x, vf t, vf rise)
{
    vf e = vpower2_bf16(-rise);
    vf share = e * (vf)_mm512_rcp14_ps((__m512)(e + 1.0f));
    return (vf)_mm512_max_ps((__m512)x, _mm512_setzero_ps()) - t * share;
}

/* The share of a normal distribution beyond t is 2^P(t). */
AM_INLINE vf short_gelu(vf x)
{
    vf t = at_most(5.5f, vabs(x)), p = vset(-0.00029202490f);
    p = vfma(p, t, vset(0.0055440338f));
    p = vfma(p, t, vset(-0.047261532f));
    p = vfma(p, t, vset(-0.46547384f));
    p = vfma(p, t, vset(-1.1485314f));
    p = vfma(p, t, vset(-1.0001687f));
    return (vf)_mm512_max_ps((__m512)x, _mm512_setzero_ps()) - t * vpower2_bf16(p);
}

AM_INLINE vf short_function(am_unary_fn fn, vf x)
{
    vf t = at_most(80.0f, vabs(x));
    switch (fn) {
    case AM_GELU:
        return short_gelu(x);
    case AM_GELU_TANH:
        return step_of(x, t, t * vfma(t * t, vset(0.10294324f), vset(2.3022082f))); /* 2 sqrt(2 / pi) / ln 2 */
    case AM_QUICK_GELU:
        return step_of(x, t, 2.4554670f * t);
    case AM_SILU:
        return step_of(x, t, 1.4426950f * t);
    default:
        return x;
    }
}

AM_INLINE void round_short(am_unary_fn fn, const float *x, const float *z, int64_t count, uint16_t *to)
{
    for (int64_t i = 0; i < count; i += AM_WIDTH) {
        int64_t n = count - i < AM_WIDTH ? count - i : AM_WIDTH;
        vf y = short_function(fn, vload_n(x + i, n));
        if (z) y *= vload_n(z + i, n);
        if (n == AM_WIDTH) {
            vstore_bf16(to + i, y);
            continue;
        }
        uint16_t rest[AM_WIDTH];
        vstore_bf16(rest, y);
        memcpy(to + i, rest, (size_t)n * sizeof *rest);
    }
}
#else
#define HAS_SHORT_FUNCTIONS 0
AM_INLINE void round_short(am_unary_fn fn, const float *x, const float *z, int64_t count, uint16_t *to)
{
    (void)fn, (void)x, (void)z, (void)count, (void)to;
}
#endif

/* By the function as it is, a piece after the other. */
static void round_exact(am_unary_fn fn, const float *x, const float *z, int64_t count, am_pair *pairs)
{
    float part[256];
    for (int64_t i = 0; i < count; i += 256) {
        int64_t n = count - i < 256 ? count - i : 256;
        if (z) AM_BASE(gated)(fn, x + i, z + i, part, n);
        else AM_BASE(unary)(fn, x + i, part, n);
        AM_TEMPLATE(round_pairs)(part, n, pairs + i / 2);
    }
}

void AM_TEMPLATE(round_function)(am_unary_fn fn, const float *x, const float *z, int64_t count, am_pair *pairs)
{
    if (fn == AM_IDENTITY && !z) AM_TEMPLATE(round_pairs)(x, count, pairs);
    else if (HAS_SHORT_FUNCTIONS && fn == AM_GELU) round_short(AM_GELU, x, z, count, (uint16_t *)pairs);
    else if (HAS_SHORT_FUNCTIONS && fn == AM_GELU_TANH) round_short(AM_GELU_TANH, x, z, count, (uint16_t *)pairs);
    else if (HAS_SHORT_FUNCTIONS && fn == AM_QUICK_GELU) round_short(AM_QUICK_GELU, x, z, count, (uint16_t *)pairs);
    else if (HAS_SHORT_FUNCTIONS && fn == AM_SILU) round_short(AM_SILU, x, z, count, (uint16_t *)pairs);
    else round_exact(fn, x, z, count, pairs);
    if (count % 2) ((uint16_t *)pairs)[count] = 0;
}

/* --- panels --- */

enum { DEPTH = 64 };

AM_INLINE am_pair rounded_at(const void *w, am_dtype dtype, int64_t at)
{
    return am_f32_to_bf16((float)am_load_real(dtype, w, at));
}

/* Any row and column. */
static void pack_apart(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                       am_pair *panel)
{
    for (int64_t k = 0; k < K; k += 2, panel += COLUMNS) {
        memset(panel, 0, COLUMNS * sizeof *panel);
        for (int64_t j = 0; j < columns; j++) {
            int64_t at = k * row + j * column;
            panel[j] = rounded_at(w, dtype, at) | (k + 1 < K ? rounded_at(w, dtype, at + row) << 16 : 0);
        }
    }
}

#if defined(__AVX512BF16__)
#define HAS_TURNS 1

enum { SIDE = 16 };

/* Turns SIDE rows of as many pairs. */
AM_INLINE void turn_pairs(__m512i x[SIDE])
{
    __m512i y[SIDE];
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i += 2) {
        y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i += 4)
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            x[i + 2 * k] = _mm512_unpacklo_epi64(y[i + k], y[i + k + 2]);
            x[i + 2 * k + 1] = _mm512_unpackhi_epi64(y[i + k], y[i + k + 2]);
        }
#pragma GCC unroll 2
    for (int i = 0; i < SIDE; i += 8)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            y[i + k] = _mm512_shuffle_i32x4(x[i + k], x[i + k + 4], 0x88);
            y[i + k + 4] = _mm512_shuffle_i32x4(x[i + k], x[i + k + 4], 0xdd);
        }
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        x[k] = _mm512_shuffle_i32x4(y[k], y[k + 8], 0x88);
        x[k + 8] = _mm512_shuffle_i32x4(y[k], y[k + 8], 0xdd);
    }
}

/* Up to 2 SIDE neighbours as pairs, zeros where there are fewer. */
AM_INLINE __m512i load_pairs(const void *w, am_dtype dtype, int64_t at, int64_t count)
{
    uint32_t wanted = count < 2 * SIDE ? (1u << count) - 1 : UINT32_MAX;
    if (dtype == AM_BF16) return _mm512_maskz_loadu_epi16(wanted, (const uint16_t *)w + at);
    const float *from = (const float *)w + at;
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps((__mmask16)(wanted >> SIDE), from + SIDE),
                                        _mm512_maskz_loadu_ps((__mmask16)wanted, from));
}

/* F32 or BF16 of which neighbours along K are neighbours in memory. */
static void pack_turned(const void *w, am_dtype dtype, int64_t column, int64_t K, int64_t columns, am_pair *panel)
{
    for (int64_t k = 0; k < K; k += 2 * SIDE)
        for (int64_t j = 0; j < COLUMNS; j += SIDE) {
            __m512i x[SIDE];
            int64_t steps = am_pairs_of(K - k);
#pragma GCC unroll 16
            for (int64_t i = 0; i < SIDE; i++)
                x[i] = j + i < columns ? load_pairs(w, dtype, (j + i) * column + k, K - k) : _mm512_setzero_si512();
            turn_pairs(x);
#pragma GCC unroll 16
            for (int64_t i = 0; i < SIDE; i++)
                if (i < steps) _mm512_storeu_si512(panel + (k / 2 + i) * COLUMNS + j, x[i]);
        }
}
#else
#define HAS_TURNS 0
static inline void pack_turned(const void *w, am_dtype dtype, int64_t column, int64_t K, int64_t columns,
                               am_pair *panel)
{
    (void)w, (void)dtype, (void)column, (void)K, (void)columns, (void)panel;
}
#endif

/* Neighbours along K are neighbours in memory. */
static void pack_columns(const void *w, am_dtype dtype, int64_t column, int64_t K, int64_t columns, am_pair *panel)
{
    float wide[DEPTH];
    am_pair pairs[COLUMNS * DEPTH / 2] = {0};
    for (int64_t k0 = 0; k0 < K; k0 += DEPTH, panel += DEPTH / 2 * COLUMNS) {
        int64_t depth = K - k0 < DEPTH ? K - k0 : DEPTH;
        for (int64_t j = 0; j < columns; j++) {
            const float *from = wide;
            int64_t at = j * column + k0;
            if (dtype == AM_F32) from = (const float *)w + at;
            else AM_BASE(widen)(dtype, (const uint16_t *)w + at, wide, depth);
            AM_TEMPLATE(round_pairs)(from, depth, pairs + j * (DEPTH / 2));
        }
        am_turn_matrix(pairs, DEPTH / 2, panel, COLUMNS, COLUMNS, (depth + 1) / 2);
    }
}

/* Columns are neighbours in memory; F32. */
static void pack_rows(const float *w, int64_t row, int64_t K, int64_t columns, am_pair *panel)
{
    for (int64_t k = 0; k < K; k += 2, panel += COLUMNS)
        for (int64_t j = 0; j < COLUMNS; j += AM_WIDTH) {
            int64_t n = columns - j < AM_WIDTH ? columns - j : AM_WIDTH;
            vf first = vset(0), second = vset(0);
            if (n > 0) first = vload_n(w + k * row + j, n);
            if (n > 0 && k + 1 < K) second = vload_n(w + (k + 1) * row + j, n);
            vstore((float *)panel + j, vpair(first, second));
        }
}

void AM_TEMPLATE(pack_pairs)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                             am_pair *panel)
{
    if (row == 1 && HAS_TURNS && dtype != AM_F16) pack_turned(w, dtype, column, K, columns, panel);
    else if (row == 1) pack_columns(w, dtype, column, K, columns, panel);
    else if (column == 1 && dtype == AM_F32) pack_rows(w, row, K, columns, panel);
    else pack_apart(w, dtype, row, column, K, columns, panel);
}

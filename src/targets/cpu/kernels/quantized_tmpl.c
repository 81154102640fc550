/* Products with a weight of 8 or 4 bits (am_quantized_linear_attributes) and x rounded to 8 bits by groups of
   AM_ACTIVATION_GROUP. A result is one sequence over these groups: c += (whole sum of the group) * (scale of the weight
   * scale of x), each operation rounded once, so that every level gives the same bits. */
#include "targets/cpu/kernels/dot.h"

#include "graph/ops.h"

enum {
    GROUP = AM_ACTIVATION_GROUP,
    COLUMNS = AM_QUANTIZED_COLUMNS,
    VECTORS = COLUMNS / AM_WIDTH,
    STEP_BYTES = 4 * COLUMNS, /* four numbers of 8 bits along K, or eight of 4 */
    LINE = 64
};

_Static_assert(GROUP == 4 * AM_DOT_STEPS, "a group's products fit one sum");

/* Rows of a tile, and vectors of its columns that are multiplied at once: as many sums as registers hold. */
#if defined(AM_VEC_AVX512)
enum { ROWS = 8, AT_ONCE = 1 };
#elif defined(AM_VEC_NEON)
enum { ROWS = 4, AT_ONCE = 4 };
#else
enum { ROWS = 4, AT_ONCE = 2 };
#endif

/* --- x --- */

/* Of the numbers of a group of x: 16 bits each where vreads_wide(bits), else 8. */
AM_INLINE int64_t group_bytes(int bits)
{
    return vreads_wide(bits) ? 2 * GROUP : GROUP;
}

/* Where no number is larger, all that the group contributes is lost in any sum of normal floats. */
#define SMALLEST 0x1p-100f

/* Four lanes of a vector. */
AM_INLINE v4i quarter_of(vi v, int i)
{
    v4i out;
    memcpy(&out, (const char *)&v + 16 * i, sizeof out);
    return out;
}

/* The largest |x| of a group, or a NaN or an infinity: as whole numbers their bits are in this order. */
AM_INLINE float largest_of(const float *x)
{
    vi all = {0};
    for (int i = 0; i < GROUP; i += AM_WIDTH) {
        vi bits = (vi)vabs(vload(x + i)), larger = bits > all;
        all = (bits & larger) | (all & ~larger);
    }
    v4i most = quarter_of(all, 0);
    for (int i = 1; i < AM_WIDTH / 4; i++) {
        v4i bits = quarter_of(all, i), larger = bits > most;
        most = (bits & larger) | (most & ~larger);
    }
    int32_t first = most[0] > most[1] ? most[0] : most[1], second = most[2] > most[3] ? most[2] : most[3];
    float out;
    memcpy(&out, first > second ? &first : &second, sizeof out);
    return out;
}

/* numbers: group_bytes(bits). */
AM_INLINE float round_group(const float *x, int bits, void *numbers, int16_t *middle)
{
    float most = largest_of(x), rest = most - most; /* NaN of a NaN and of an infinity */
    bool rounds = most >= SMALLEST && rest == 0;
    float inverse = rounds ? 127 / most : 0;
    vi all = {0};
    v4i sums = {0};
    for (int i = 0; i < GROUP; i += AM_WIDTH) {
        vi whole = {0};
        if (rounds) whole = __builtin_convertvector(vround(vload(x + i) * inverse), vi);
        if (vreads_wide(bits)) vstore_wide((int16_t *)numbers + i, whole);
        else vstore_narrow((int8_t *)numbers + i, whole);
        all += whole;
    }
    for (int i = 0; i < AM_WIDTH / 4; i++) sums += quarter_of(all, i);
    middle[0] = (int16_t)(-8 * (sums[0] + sums[1])), middle[1] = (int16_t)(-8 * (sums[2] + sums[3]));
    return rounds ? most / 127 : rest;
}

AM_INLINE void round_groups(const float *x, int64_t groups, int bits, char *numbers, float *scales, int16_t *middle)
{
    for (int64_t g = 0; g < groups; g++)
        scales[g] = round_group(x + g * GROUP, bits, numbers + g * group_bytes(bits), middle + 2 * g);
}

void AM_TEMPLATE(quantize)(const float *x, int64_t count, int bits, void *numbers, float *scales, int16_t *middle)
{
    if (bits == 8) round_groups(x, count / GROUP, 8, numbers, scales, middle);
    else round_groups(x, count / GROUP, 4, numbers, scales, middle);
}

/* --- products --- */

AM_INLINE void load_scales(const am_quantized_panel *p, int64_t group, vf *out)
{
    for (int v = 0; v < VECTORS; v++) {
        int64_t at = group * COLUMNS + v * AM_WIDTH;
        if (p->scale_dtype == AM_F32) out[v] = vload((const float *)p->scales + at);
        else if (p->scale_dtype == AM_BF16) out[v] = vwiden_bf16((const uint16_t *)p->scales + at);
        else out[v] = vwiden_f16((const uint16_t *)p->scales + at);
    }
}

/* Adds the products of four numbers from k on of each row of x with as many of each column. */
AM_INLINE void dot_four(int bits, int rows, const vb *numbers, int64_t k, const void *const *x, vsums sums[][AT_ONCE])
{
    vweight w[AT_ONCE];
#pragma GCC unroll 4
    for (int v = 0; v < AT_ONCE; v++) w[v] = vready(bits, numbers[v]);
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++) {
        vfour four = vload_four(bits, x[m], k);
#pragma GCC unroll 4
        for (int v = 0; v < AT_ONCE; v++) vdot(bits, &sums[m][v], w[v], four);
    }
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
enum { HAS_MATRICES = true };

/* Of eight numbers from k on of a vector's columns: those of two columns beside each other, twice. */
typedef struct columns_of_eight {
    int8x16_t first, last;
} columns_of_eight;

AM_INLINE columns_of_eight load_eight(int bits, const uint8_t *w)
{
    vb numbers = vload_bytes(w);
    int32x4_t low = (int32x4_t)vready(bits, bits == 8 ? numbers : vlower_half(numbers)).even;
    int32x4_t high = (int32x4_t)vready(bits, bits == 8 ? vload_bytes(w + STEP_BYTES) : vupper_half(numbers)).even;
    return (columns_of_eight){(int8x16_t)vzip1q_s32(low, high), (int8x16_t)vzip2q_s32(low, high)};
}

/* The products of a group of an even number of rows, added to nothing: two rows by two columns at once. */
AM_INLINE void dot_matrices(int bits, int rows, const uint8_t *w, const void *const *x, vsums sums[][AT_ONCE])
{
    int32x4_t first[ROWS / 2][AT_ONCE] = {{{0}}}, last[ROWS / 2][AT_ONCE] = {{{0}}};
#pragma GCC unroll 4
    for (int64_t k = 0; k < GROUP; k += 8, w += STEP_BYTES * bits / 4) {
        columns_of_eight columns[AT_ONCE];
#pragma GCC unroll 4
        for (int v = 0; v < AT_ONCE; v++) columns[v] = load_eight(bits, w + v * 4 * AM_WIDTH);
#pragma GCC unroll 4
        for (int m = 0; m < rows / 2; m++) {
            int8x16_t two =
                vcombine_s8(vld1_s8((const int8_t *)x[2 * m] + k), vld1_s8((const int8_t *)x[2 * m + 1] + k));
#pragma GCC unroll 4
            for (int v = 0; v < AT_ONCE; v++) {
                first[m][v] = vmmlaq_s32(first[m][v], two, columns[v].first);
                last[m][v] = vmmlaq_s32(last[m][v], two, columns[v].last);
            }
        }
    }
#pragma GCC unroll 4
    for (int m = 0; m < rows / 2; m++)
#pragma GCC unroll 4
        for (int v = 0; v < AT_ONCE; v++) {
            sums[2 * m][v].all = (vi)vcombine_s32(vget_low_s32(first[m][v]), vget_low_s32(last[m][v]));
            sums[2 * m + 1][v].all = (vi)vcombine_s32(vget_high_s32(first[m][v]), vget_high_s32(last[m][v]));
        }
}
#else
enum { HAS_MATRICES = false };

AM_INLINE void dot_matrices(int bits, int rows, const uint8_t *w, const void *const *x, vsums sums[][AT_ONCE])
{
    (void)bits, (void)rows, (void)w, (void)x, (void)sums;
}
#endif

/* The same of a group. */
AM_INLINE void dot_group(int bits, int rows, const uint8_t *w, const void *const *x, vsums sums[][AT_ONCE])
{
    if (HAS_MATRICES && rows % 2 == 0) {
        dot_matrices(bits, rows, w, x, sums);
        return;
    }
#pragma GCC unroll 8
    for (int64_t k = 0; k < GROUP; k += bits == 8 ? 4 : 8, w += STEP_BYTES) {
        vb numbers[AT_ONCE], lower[AT_ONCE], upper[AT_ONCE];
#pragma GCC unroll 4
        for (int v = 0; v < AT_ONCE; v++) {
            numbers[v] = vload_bytes(w + v * 4 * AM_WIDTH);
            lower[v] = vlower_half(numbers[v]), upper[v] = vupper_half(numbers[v]);
        }
        if (bits == 8) dot_four(bits, rows, numbers, k, x, sums);
        else {
            dot_four(bits, rows, lower, k, x, sums);
            dot_four(bits, rows, upper, k + 4, x, sums);
        }
    }
}

/* Zero points of a vector's columns, from the middle. */
AM_INLINE vi load_zero_points(const am_quantized_panel *p, int bits, int64_t group, int v)
{
    vi out;
    const uint8_t *points = p->zero_points + group * COLUMNS + v * AM_WIDTH;
    for (int c = 0; c < AM_WIDTH; c++) out[c] = points[c] - (bits == 8 ? 128 : 8);
    return out;
}

/* Adds group g of x: of AT_ONCE vectors of columns from v on of `rows` rows, whose groups of numbers are at q; `at` is
   where what belongs to the first row's group is. */
AM_INLINE void add_group(int bits, bool has_zeros, int rows, const am_quantized_panel *p, const am_quantized_rows *x,
                         int64_t at, int64_t g, const void *const *q, const uint8_t *w, int v, const vf *scales,
                         vf results[][VECTORS])
{
    vsums sums[ROWS][AT_ONCE];
    int64_t groups = p->K / GROUP;
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int i = 0; i < AT_ONCE; i++) sums[m][i] = vstart(bits, x->middle + 2 * (at + m * groups));
    dot_group(bits, rows, w, q, sums);
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++) {
        const int16_t *middle = x->middle + 2 * (at + m * groups);
        float scale = x->scales[at + m * groups];
#pragma GCC unroll 4
        for (int i = 0; i < AT_ONCE; i++) {
            vi whole = vtotal(bits, &sums[m][i]);
            if (has_zeros)
                whole += load_zero_points(p, bits, g * GROUP / p->group, v + i) * ((middle[0] + middle[1]) / 8);
            results[m][v + i] += __builtin_convertvector(whole, vf) * (scales[v + i] * scale);
        }
    }
}

/* How many columns a vector has that are in the panel: AM_WIDTH at most, 0 or less where there is none. */
AM_INLINE int64_t columns_in(const am_quantized_panel *p, int v)
{
    int64_t n = p->columns - v * AM_WIDTH;
    return n < AM_WIDTH ? n : AM_WIDTH;
}

/* One row waits for the weight: asks for that of a group, so much further on, which may be in the panels after it.
   Bytes go by so fast that more than a little is more than the caches let wait. */
AM_INLINE void prefetch_group(int bits, const uint8_t *w)
{
    for (int i = 0; i < GROUP * COLUMNS * bits / 8; i += LINE)
        if (bits == 8) __builtin_prefetch(w + 1024 + i, 0, 2);
        else __builtin_prefetch(w + 4096 + i, 0, 3);
}

AM_INLINE void tile(int bits, bool has_zeros, int rows, const am_quantized_panel *p, const am_quantized_rows *x,
                    int64_t m0, float *c, int64_t ldc)
{
    vf results[ROWS][VECTORS] = {{{0}}}, scales[VECTORS];
    int64_t left = 0, groups = p->K / GROUP; /* left: groups of x in the weight's */
    const uint8_t *w = p->weight;
    const void *q[ROWS];
    for (int m = 0; m < rows; m++) q[m] = x->numbers + (m0 + m) * p->K;
    for (int64_t g = 0; g < groups; g++, left--, w += GROUP * COLUMNS * bits / 8) {
        if (rows == 1) prefetch_group(bits, w);
        if (left == 0) {
            load_scales(p, g * GROUP / p->group, scales);
            left = p->group / GROUP;
        }
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v += AT_ONCE)
            add_group(bits, has_zeros, rows, p, x, m0 * groups + g, g, q, w + v * 4 * AM_WIDTH, v, scales, results);
        for (int m = 0; m < rows; m++) q[m] = (const char *)q[m] + group_bytes(bits);
    }
    for (int m = 0; m < rows; m++)
        for (int v = 0; v < VECTORS; v++)
            if (columns_in(p, v) > 0) vstore_n(c + (m0 + m) * ldc + v * AM_WIDTH, results[m][v], columns_in(p, v));
}

AM_INLINE void multiply(int bits, bool has_zeros, int64_t M, const am_quantized_panel *p, const am_quantized_rows *x,
                        float *c, int64_t ldc)
{
    int64_t m = 0;
    for (; m + ROWS <= M; m += ROWS) tile(bits, has_zeros, ROWS, p, x, m, c, ldc);
    for (; m < M; m++) tile(bits, has_zeros, 1, p, x, m, c, ldc);
}

void AM_TEMPLATE(gemm_quantized)(int64_t M, int bits, const am_quantized_panel *panel, const am_quantized_rows *x,
                                 float *c, int64_t ldc)
{
    bool has_zeros = panel->zero_points;
    if (bits == 8 && has_zeros) multiply(8, true, M, panel, x, c, ldc);
    else if (bits == 8) multiply(8, false, M, panel, x, c, ldc);
    else if (has_zeros) multiply(4, true, M, panel, x, c, ldc);
    else multiply(4, false, M, panel, x, c, ldc);
}

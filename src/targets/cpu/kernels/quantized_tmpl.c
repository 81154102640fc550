/* Products with a weight of 8 or 4 bits (am_quantized_linear_attributes) and x rounded to 8 bits by groups of
   AM_ACTIVATION_GROUP. A result is one sequence over these groups: c += (whole sum of the group) * (scale of x * scale
   of the weight), each operation rounded once, so that every level gives the same bits. */
#include "targets/cpu/kernels/dot.h"

#include "graph/ops.h"

enum {
    GROUP = AM_ACTIVATION_GROUP,
    COLUMNS = AM_QUANTIZED_COLUMNS,
    VECTORS = COLUMNS / AM_WIDTH,
    STEP_BYTES = 4 * COLUMNS /* four numbers of 8 bits along K, or eight of 4 */
};

_Static_assert(GROUP == 4 * AM_DOT_STEPS, "a group's products fit one sum");

#if defined(AM_VEC_AVX512) || defined(AM_VEC_NEON)
enum { ROWS = 4 };
#elif defined(AM_VEC_AVX2)
enum { ROWS = 3 };
#else
enum { ROWS = 1 };
#endif

/* --- x --- */

/* Where the largest number is smaller, what it would contribute is lost in any sum of normal floats. */
#define SMALLEST 0x1p-100f

static float round_group(const float *x, int8_t *q, int32_t *sum)
{
    vf largest = vset(0);
    vi sums = {0};
    for (int i = 0; i < GROUP; i += AM_WIDTH) largest = vmax(largest, vabs(vload(x + i)));
    float most = vmax_lanes(largest);
    bool is_finite = most - most == 0, is_zero = !(most >= SMALLEST);
    float inverse = is_finite && !is_zero ? 127 / most : 0;
    for (int i = 0; i < GROUP; i += AM_WIDTH) {
        vi whole = {0};
        if (is_finite) whole = __builtin_convertvector(vround(vload(x + i) * inverse), vi);
        sums += whole;
        for (int k = 0; k < AM_WIDTH; k++) q[i + k] = (int8_t)whole[k];
    }
    *sum = 0;
    for (int k = 0; k < AM_WIDTH; k++) *sum += sums[k];
    return !is_finite ? most - most : is_zero ? 0 : most / 127;
}

void AM_TEMPLATE(quantize)(const float *x, int64_t count, int8_t *q, float *scales, int32_t *sums)
{
    for (int64_t g = 0; g < count / GROUP; g++) scales[g] = round_group(x + g * GROUP, q + g * GROUP, &sums[g]);
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

/* What is subtracted from a number as it is multiplied. */
AM_INLINE void load_offsets(const am_quantized_panel *p, int bits, int64_t group, vi *out)
{
    int32_t offset = bits == 8 ? AM_DOT_BYTE_OFFSET : p->zero_points ? 0 : 8;
    for (int v = 0; v < VECTORS; v++) {
        out[v] = offset - (vi){0};
        if (!p->zero_points) continue;
        for (int c = 0; c < AM_WIDTH; c++) {
            int64_t at = group * COLUMNS + v * AM_WIDTH + c;
            out[v][c] += bits == 8 ? ((const int8_t *)p->zero_points)[at] : ((const uint8_t *)p->zero_points)[at];
        }
    }
}

/* Adds the products of a group of x. */
AM_INLINE void dot_group(int bits, int rows, const int8_t *w, const int8_t *const *x, vsums sums[][VECTORS])
{
    enum { STEPS = AM_DOT_STEPS };
#pragma GCC unroll 8
    for (int i = 0; i < STEPS; i += bits == 8 ? 1 : 2) {
        vb first[ROWS], second[ROWS];
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
            first[m] = vrepeat4(x[m] + 4 * i);
            if (bits == 4) second[m] = vrepeat4(x[m] + 4 * i + 4);
        }
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) {
            vb numbers = vload_bytes(w + v * 4 * AM_WIDTH);
#pragma GCC unroll 8
            for (int m = 0; m < rows; m++) {
                if (bits == 8) vdot_bytes(&sums[m][v], numbers, first[m]);
                else {
                    vdot_halves(&sums[m][v], vlower_half(numbers), first[m]);
                    vdot_halves(&sums[m][v], vupper_half(numbers), second[m]);
                }
            }
        }
        w += STEP_BYTES;
    }
}

AM_INLINE void tile(int bits, int rows, const am_quantized_panel *p, const am_quantized_rows *x, int64_t m0, float *c,
                    int64_t ldc)
{
    vf results[ROWS][VECTORS], scales[VECTORS];
    vi offsets[VECTORS];
    const int8_t *w = p->weight, *q[ROWS];
    int64_t groups = p->K / GROUP, each = p->group / GROUP;
    for (int m = 0; m < rows; m++) q[m] = x->q + (m0 + m) * p->K;
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) results[m][v] = vset(0);
    for (int64_t g = 0, left = 0; g < groups; g++, left--) {
        vsums sums[ROWS][VECTORS] = {0};
        if (left == 0) {
            load_scales(p, g / each, scales);
            load_offsets(p, bits, g / each, offsets);
            left = each;
        }
        dot_group(bits, rows, w, q, sums);
        w += GROUP * COLUMNS * bits / 8;
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
            int64_t at = (m0 + m) * groups + g;
            q[m] += GROUP;
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) {
                vi whole =
                    (bits == 8 ? vtotal_bytes(&sums[m][v]) : vtotal_halves(&sums[m][v])) - offsets[v] * x->sums[at];
                results[m][v] += __builtin_convertvector(whole, vf) * (scales[v] * x->scales[at]);
            }
        }
    }
    for (int m = 0; m < rows; m++)
        for (int v = 0; v < VECTORS; v++) {
            int64_t n = p->columns - v * AM_WIDTH;
            if (n > 0) vstore_n(c + (m0 + m) * ldc + v * AM_WIDTH, results[m][v], n < AM_WIDTH ? n : AM_WIDTH);
        }
}

AM_INLINE void multiply(int bits, int64_t M, const am_quantized_panel *p, const am_quantized_rows *x, float *c,
                        int64_t ldc)
{
    int64_t m = 0;
    for (; m + ROWS <= M; m += ROWS) tile(bits, ROWS, p, x, m, c, ldc);
    for (; m < M; m++) tile(bits, 1, p, x, m, c, ldc);
}

void AM_TEMPLATE(gemm_quantized)(int64_t M, int bits, const am_quantized_panel *panel, const am_quantized_rows *x,
                                 float *c, int64_t ldc)
{
    if (bits == 8) multiply(8, M, panel, x, c, ldc);
    else multiply(4, M, panel, x, c, ldc);
}

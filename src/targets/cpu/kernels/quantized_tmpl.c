/* Products with a weight of 8 or 4 bits (am_quantized_linear_attributes) and x rounded to 8 bits by groups of
   AM_ACTIVATION_GROUP. A result is one sequence over these groups: c += (whole sum of the group) * (scale of the weight
   * scale of x), each operation rounded once, so that every level gives the same bits. */
#include "targets/cpu/kernels/dot.h"

#include "graph/ops.h"

enum {
    GROUP = AM_ACTIVATION_GROUP,
    COLUMNS = AM_QUANTIZED_COLUMNS,
    VECTORS = COLUMNS / AM_WIDTH,
    STEP_BYTES = 4 * COLUMNS /* four numbers of 8 bits along K, or eight of 4 */
};

_Static_assert(GROUP == 4 * AM_DOT_STEPS, "a group's products fit one sum");

/* Rows of a tile: as many sums as registers hold. */
#if defined(AM_VEC_AVX512)
enum { ROWS = 8 };
#elif defined(AM_VEC_AVX2) || defined(AM_VEC_NEON)
enum { ROWS = 4 };
#else
enum { ROWS = 1 };
#endif

/* --- x --- */

/* Where no number is larger, all that the group contributes is lost in any sum of normal floats. */
#define SMALLEST 0x1p-100f

/* The largest |x| of a group, or a NaN or an infinity: as whole numbers their bits are in this order. */
static float largest_of(const float *x)
{
    vi all = {0};
    int32_t most = 0;
    float out;
    for (int i = 0; i < GROUP; i += AM_WIDTH) {
        vi bits = (vi)vabs(vload(x + i)), larger = bits > all;
        all = (bits & larger) | (all & ~larger);
    }
    for (int k = 0; k < AM_WIDTH; k++) most = all[k] > most ? all[k] : most;
    memcpy(&out, &most, sizeof out);
    return out;
}

static float round_group(const float *x, int8_t *q, int16_t *middle)
{
    float most = largest_of(x), rest = most - most; /* NaN of a NaN and of an infinity */
    bool rounds = most >= SMALLEST && rest == 0;
    float inverse = rounds ? 127 / most : 0;
    vi all = {0};
    int sums[2] = {0};
    for (int i = 0; i < GROUP; i += AM_WIDTH) {
        vi whole = {0};
        if (rounds) whole = __builtin_convertvector(vround(vload(x + i) * inverse), vi);
        vstore_narrow(q + i, whole);
        all += whole;
    }
    for (int k = 0; k < AM_WIDTH; k++) sums[k / 2 % 2] += all[k];
    for (int i = 0; i < 2; i++) middle[i] = (int16_t)(-8 * sums[i]);
    return rounds ? most / 127 : rest;
}

void AM_TEMPLATE(quantize)(const float *x, int64_t count, int8_t *q, float *scales, int16_t *middle)
{
    for (int64_t g = 0; g < count / GROUP; g++) scales[g] = round_group(x + g * GROUP, q + g * GROUP, middle + 2 * g);
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

/* Adds the products of a group of x and a vector of columns. */
AM_INLINE void dot_group(int bits, int rows, const uint8_t *w, const int8_t *const *x, vsums *sums)
{
#pragma GCC unroll 1
    for (int64_t k = 0; k < GROUP; k += bits == 8 ? 4 : 8, w += STEP_BYTES) {
        vb numbers = vload_bytes(w);
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
            if (bits == 8) vdot_bytes(&sums[m], numbers, vrepeat4(x[m] + k));
            else {
                vdot_halves(&sums[m], vlower_half(numbers), vrepeat4(x[m] + k));
                vdot_halves(&sums[m], vupper_half(numbers), vrepeat4(x[m] + k + 4));
            }
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

/* Adds group g of x: of the vector v of columns of `rows` rows from m0 on, whose numbers are at q. */
AM_INLINE void add_group(int bits, int rows, const am_quantized_panel *p, const am_quantized_rows *x, int64_t m0,
                         int64_t g, const int8_t *const *q, const uint8_t *w, int v, vf scale, vf results[][VECTORS])
{
    vsums sums[ROWS];
    int64_t groups = p->K / GROUP;
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++) {
        const int16_t *middle = x->middle + 2 * ((m0 + m) * groups + g);
        sums[m] = bits == 8 ? vstart_bytes(middle) : vstart_halves(middle);
    }
    dot_group(bits, rows, w + v * 4 * AM_WIDTH, q, sums);
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++) {
        int64_t at = (m0 + m) * groups + g;
        vi whole = bits == 8 ? vtotal_bytes(&sums[m]) : vtotal_halves(&sums[m]);
        if (p->zero_points)
            whole +=
                load_zero_points(p, bits, g * GROUP / p->group, v) * ((x->middle[2 * at] + x->middle[2 * at + 1]) / 8);
        results[m][v] += __builtin_convertvector(whole, vf) * (scale * x->scales[at]);
    }
}

AM_INLINE void tile(int bits, int rows, const am_quantized_panel *p, const am_quantized_rows *x, int64_t m0, float *c,
                    int64_t ldc)
{
    vf results[ROWS][VECTORS] = {{{0}}}, scales[VECTORS];
    int64_t left = 0; /* groups of x in the weight's */
    const uint8_t *w = p->weight;
    const int8_t *q[ROWS];
    for (int m = 0; m < rows; m++) q[m] = x->q + (m0 + m) * p->K;
    for (int64_t g = 0; g < p->K / GROUP; g++, left--, w += GROUP * COLUMNS * bits / 8) {
        if (left == 0) {
            load_scales(p, g * GROUP / p->group, scales);
            left = p->group / GROUP;
        }
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) add_group(bits, rows, p, x, m0, g, q, w, v, scales[v], results);
        for (int m = 0; m < rows; m++) q[m] += GROUP;
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

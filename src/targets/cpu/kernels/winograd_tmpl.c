/* The transforms of convolution_winograd.c, of vectors of channels. */
#include "targets/cpu/kernels/micro.h"

enum { SIDE = 4, RESULTS = 2 };

AM_INLINE vf load_numbers(am_dtype dtype, const void *x, int64_t at, int64_t n)
{
    if (dtype == AM_F32) return vload_n((const float *)x + at, n);
    if (n == AM_WIDTH) return vwiden_bf16((const uint16_t *)x + at);
    uint16_t padded[AM_WIDTH] = {0};
    memcpy(padded, (const uint16_t *)x + at, (size_t)n * sizeof *padded);
    return vwiden_bf16(padded);
}

AM_INLINE void store_numbers(am_dtype dtype, void *y, int64_t at, vf v, int64_t n)
{
    if (dtype == AM_F32) vstore_n((float *)y + at, v, n);
    else if (n == AM_WIDTH) vstore_bf16((uint16_t *)y + at, v);
    else {
        uint16_t padded[AM_WIDTH];
        vstore_bf16(padded, v);
        memcpy((uint16_t *)y + at, padded, (size_t)n * sizeof *padded);
    }
}

AM_INLINE void transform_places(am_dtype from, am_dtype to, const void *const *places, int64_t at, int64_t n,
                                void *parts, int64_t part)
{
    vf rows[SIDE][SIDE];
#pragma GCC unroll 4
    for (int x = 0; x < SIDE; x++) {
        vf d[SIDE];
#pragma GCC unroll 4
        for (int y = 0; y < SIDE; y++) d[y] = load_numbers(from, places[y * SIDE + x], at, n);
        rows[0][x] = d[0] - d[2], rows[1][x] = d[1] + d[2];
        rows[2][x] = d[2] - d[1], rows[3][x] = d[1] - d[3];
    }
#pragma GCC unroll 4
    for (int y = 0; y < SIDE; y++, at += SIDE * part) {
        const vf *d = rows[y];
        store_numbers(to, parts, at, d[0] - d[2], n);
        store_numbers(to, parts, at + part, d[1] + d[2], n);
        store_numbers(to, parts, at + 2 * part, d[2] - d[1], n);
        store_numbers(to, parts, at + 3 * part, d[1] - d[3], n);
    }
}

AM_INLINE void transform_all_places(am_dtype from, am_dtype to, const void *const *places, void *parts, int64_t part,
                                    int64_t count)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) transform_places(from, to, places, i, AM_WIDTH, parts, part);
    if (i < count) transform_places(from, to, places, i, count - i, parts, part);
}

void AM_TEMPLATE(winograd_places)(am_dtype from, am_dtype to, const void *const *places, void *parts, int64_t part,
                                  int64_t count)
{
    if (to == AM_F32) transform_all_places(AM_F32, AM_F32, places, parts, part, count);
    else if (from == AM_F32) transform_all_places(AM_F32, AM_BF16, places, parts, part, count);
    else transform_all_places(AM_BF16, AM_BF16, places, parts, part, count);
}

AM_INLINE vf end(vf sum, const am_ending *ending, int64_t at, int64_t place, int64_t n)
{
    if (ending->factors)
        sum = vfma(sum, vload_n(ending->factors + at, n), ending->terms ? vload_n(ending->terms + at, n) : vset(0));
    else if (ending->terms) sum += vload_n(ending->terms + at, n);
    if (ending->residual) sum += vload_n(ending->residual + place + at, n);
    return ending->relu ? vrelu(sum) : sum;
}

AM_INLINE void transform_sums(const float *sums, int64_t part, int64_t at, int64_t n, float *to, int64_t row,
                              int64_t place, int rows, int places, const am_ending *ending)
{
    vf columns[RESULTS][SIDE];
#pragma GCC unroll 4
    for (int x = 0; x < SIDE; x++) {
        vf m[SIDE];
#pragma GCC unroll 4
        for (int y = 0; y < SIDE; y++) m[y] = vload_n(sums + (y * SIDE + x) * part + at, n);
        columns[0][x] = m[0] + m[1] + m[2], columns[1][x] = m[1] - m[2] - m[3];
    }
#pragma GCC unroll 2
    for (int y = 0; y < RESULTS; y++) {
        const vf *m = columns[y];
        vf results[RESULTS] = {m[0] + m[1] + m[2], m[1] - m[2] - m[3]};
#pragma GCC unroll 2
        for (int x = 0; x < RESULTS; x++) {
            int64_t offset = y * row + x * place;
            if (y < rows && x < places) vstore_n(to + offset + at, end(results[x], ending, at, offset, n), n);
        }
    }
}

void AM_TEMPLATE(winograd_results)(const float *sums, int64_t part, int64_t count, float *to, int64_t row,
                                   int64_t place, int rows, int places, const am_ending *ending)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH)
        transform_sums(sums, part, i, AM_WIDTH, to, row, place, rows, places, ending);
    if (i < count) transform_sums(sums, part, i, count - i, to, row, place, rows, places, ending);
}

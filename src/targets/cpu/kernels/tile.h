/* The tile of results that products are made of, where b has N contiguous: in registers while k runs, so that each
   result is one sequence over k. */
#ifndef AM_TARGETS_CPU_KERNELS_TILE_H
#define AM_TARGETS_CPU_KERNELS_TILE_H

#include "targets/cpu/kernels/micro.h"

/* How numbers of b are kept. */
typedef enum form { FORM_F32, FORM_BF16, FORM_F16 } form;

AM_INLINE vf load(form f, const void *b, int64_t at)
{
    if (f == FORM_F32) return vload((const float *)b + at);
    return f == FORM_BF16 ? vwiden_bf16((const uint16_t *)b + at) : vwiden_f16((const uint16_t *)b + at);
}

/* rows x vectors results; the last vector has `last` of 1..AM_WIDTH of them. is_padded: b has all of it; else it is
 * F32.
 */
AM_INLINE void tile(form f, bool is_padded, int rows, int vectors, int64_t last, int64_t K, const float *a, int64_t lda,
                    const void *b, int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    vf sum[AM_TILE_ROWS(1)][AM_TILE_VECTORS];
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            int64_t n = v == vectors - 1 ? last : AM_WIDTH;
            sum[m][v] = accumulate ? vload_n(c + m * ldc + v * AM_WIDTH, n) : vset(0);
        }
    for (int64_t k = 0; k < K; k++) {
        vf w[AM_TILE_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            w[v] = is_padded || v < vectors - 1 ? load(f, b, k * ldb + v * AM_WIDTH)
                                                : vload_n((const float *)b + k * ldb + v * AM_WIDTH, last);
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) {
            vf x = vset(a[m * lda + k]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[m][v] = vfma(x, w[v], sum[m][v]);
        }
    }
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            vstore_n(c + m * ldc + v * AM_WIDTH, sum[m][v], v == vectors - 1 ? last : AM_WIDTH);
}

#endif

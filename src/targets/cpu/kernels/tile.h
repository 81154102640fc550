/* The tile of results that products are made of, where b has N contiguous: in registers while k runs, so that each
   result is one sequence over k. */
#ifndef AM_TARGETS_CPU_KERNELS_TILE_H
#define AM_TARGETS_CPU_KERNELS_TILE_H

#include "targets/cpu/kernels/micro.h"

/* How numbers of b are kept. PAIRS: two neighbours along K in BF16 stand where else a number does, in a and b, and K
   counts pairs. */
typedef enum form { FORM_F32, FORM_BF16, FORM_F16, FORM_PAIRS } form;

AM_INLINE vf load(form f, const void *b, int64_t at)
{
    if (f == FORM_F32 || f == FORM_PAIRS) return vload((const float *)b + at);
    return f == FORM_BF16 ? vwiden_bf16((const uint16_t *)b + at) : vwiden_f16((const uint16_t *)b + at);
}

typedef vf sums[AM_TILE_ROWS(1)][AM_TILE_VECTORS];

AM_INLINE int64_t count_in(int v, int vectors, int64_t last)
{
    return v == vectors - 1 ? last : AM_WIDTH;
}

AM_INLINE void scale_sums(int rows, int vectors, int64_t last, sums sum, const float *factors, const float *terms)
{
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        vf factor = vload_n(factors + v * AM_WIDTH, count_in(v, vectors, last));
        vf term = terms ? vload_n(terms + v * AM_WIDTH, count_in(v, vectors, last)) : vset(0);
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) sum[m][v] = vfma(sum[m][v], factor, term);
    }
}

/* Rows of x are `row` apart: 0 for the same one to all. */
AM_INLINE void add_to_sums(int rows, int vectors, int64_t last, sums sum, const float *x, int64_t row)
{
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++)
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) sum[m][v] += vload_n(x + m * row + v * AM_WIDTH, count_in(v, vectors, last));
}

/* See am_ending. */
AM_INLINE void end_sums(int rows, int vectors, int64_t last, sums sum, int64_t ldc, const am_ending *ending)
{
    if (ending->factors) scale_sums(rows, vectors, last, sum, ending->factors, ending->terms);
    else if (ending->terms) add_to_sums(rows, vectors, last, sum, ending->terms, 0);
    if (ending->residual) add_to_sums(rows, vectors, last, sum, ending->residual, ldc);
    if (!ending->relu) return;
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[m][v] = vrelu(sum[m][v]);
}

/* What is asked for while k runs, `step` bytes further with each: into the first cache, or the second where the tile is
   wide, as its numbers fill the first. */
typedef struct ahead {
    const char *from; /* null: nothing */
    int64_t step;
} ahead;

enum { AHEAD_IN = AM_PANEL_COLUMNS < 64 ? 3 : 2 };

/* rows x vectors results; the last vector has `last` of 1..AM_WIDTH of them. is_padded: b has all of it; else it is
 * F32. ending: may be null.
 */
AM_INLINE void tile(form f, bool is_padded, int rows, int vectors, int64_t last, int64_t K, const float *a, int64_t lda,
                    const void *b, int64_t ldb, float *c, int64_t ldc, bool accumulate, const am_ending *ending,
                    ahead next)
{
    sums sum;
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            int64_t n = v == vectors - 1 ? last : AM_WIDTH;
            sum[m][v] = accumulate ? vload_n(c + m * ldc + v * AM_WIDTH, n) : vset(0);
        }
    for (int64_t k = 0; k < K; k++) {
        vf w[AM_TILE_VECTORS];
        if (is_padded) { /* where nothing is wanted, what is at hand */
            __builtin_prefetch(next.from, 0, AHEAD_IN);
            __builtin_prefetch(next.from + next.step / 2, 0, AHEAD_IN);
            next.from += next.step;
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            w[v] = is_padded || v < vectors - 1 ? load(f, b, k * ldb + v * AM_WIDTH)
                                                : vload_n((const float *)b + k * ldb + v * AM_WIDTH, last);
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) {
            vf x = f == FORM_PAIRS ? vrepeat_pair(a + m * lda + k) : vset(a[m * lda + k]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sum[m][v] = f == FORM_PAIRS ? vdot_pairs(x, w[v], sum[m][v]) : vfma(x, w[v], sum[m][v]);
        }
    }
    if (ending) end_sums(rows, vectors, last, sum, ldc, ending);
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            vstore_n(c + m * ldc + v * AM_WIDTH, sum[m][v], v == vectors - 1 ? last : AM_WIDTH);
}

#endif

/* Products of numbers rounded to BF16, with sums in F32: panels (panel.h) of pairs along K. */
#include "targets/cpu/kernels/panel.h"

#include "targets/cpu/kernels/turn.h"

void AM_TEMPLATE(gemm_pairs)(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                             const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending)
{
    multiply_form(FORM_PAIRS, M, columns, K, (const float *)a, lda, panel, next, c, ldc, accumulate, ending);
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
    if (row == 1) pack_columns(w, dtype, column, K, columns, panel);
    else if (column == 1 && dtype == AM_F32) pack_rows(w, row, K, columns, panel);
    else pack_apart(w, dtype, row, column, K, columns, panel);
}

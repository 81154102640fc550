/* Products with a weight in panels of F32, BF16 or F16 (panel.h), and those panels. */
#include "targets/cpu/kernels/panel.h"

enum { PACK_DEPTH = 256 };

void AM_TEMPLATE(gemm_panel_ending)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda,
                                    const void *panel, am_dtype dtype, const void *next, float *c, int64_t ldc,
                                    bool accumulate, const am_ending *ending)
{
    if (dtype == AM_F32) multiply_form(FORM_F32, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
    else if (dtype == AM_BF16) multiply_form(FORM_BF16, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
    else multiply_form(FORM_F16, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
}

void AM_TEMPLATE(gemm_panel)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                             am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate)
{
    AM_TEMPLATE(gemm_panel_ending)(M, columns, K, a, lda, panel, dtype, next, c, ldc, accumulate, NULL);
}

/* Column j of the panel lies `column` elements after column j - 1 in w, row k `row` elements after row k - 1. */
#define PACK(type)                                                                                                     \
    static void pack_##type(const type *w, int64_t row, int64_t column, int64_t K, int64_t columns, type *panel)       \
    {                                                                                                                  \
        for (int64_t k0 = 0; k0 < K; k0 += PACK_DEPTH) {                                                               \
            int64_t k1 = k0 + PACK_DEPTH < K ? k0 + PACK_DEPTH : K;                                                    \
            for (int64_t j = 0; j < columns; j++)                                                                      \
                for (int64_t k = k0; k < k1; k++) panel[k * COLUMNS + j] = w[k * row + j * column];                    \
            for (int64_t j = columns; j < COLUMNS; j++)                                                                \
                for (int64_t k = k0; k < k1; k++) panel[k * COLUMNS + j] = 0;                                          \
        }                                                                                                              \
    }
PACK(uint16_t)
PACK(uint32_t)

/* Rows of which the columns are neighbours. */
static void copy_rows(const char *w, size_t row, int64_t K, size_t columns, size_t width, char *panel)
{
    for (int64_t k = 0; k < K; k++, w += row, panel += width) {
        memcpy(panel, w, columns);
        memset(panel + columns, 0, width - columns);
    }
}

void AM_TEMPLATE(pack_panel)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                             void *panel)
{
    size_t bytes = dtype == AM_F32 ? 4 : 2;
    if (column == 1) copy_rows(w, (size_t)row * bytes, K, (size_t)columns * bytes, COLUMNS * bytes, panel);
    else if (bytes == 2) pack_uint16_t(w, row, column, K, columns, panel);
    else pack_uint32_t(w, row, column, K, columns, panel);
}

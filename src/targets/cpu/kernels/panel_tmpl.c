/* Products with a packed weight. A panel is [K][COLUMNS] of the weight's numbers, zeros where it has fewer columns; a
   tile of AM_TILE_ROWS x COLUMNS results stays in registers while k runs, so each result is one sequence over k. */
#include "targets/cpu/kernels/tile.h"

enum { COLUMNS = AM_PANEL_COLUMNS, CACHE_LINE = 64, PACK_DEPTH = 256 };

/* Asks for a part of what is needed next, so that all of it is there when all rows are done. */
AM_INLINE void prefetch(const char *next, int64_t lines, int64_t row, int64_t rows, int64_t total)
{
    for (int64_t i = lines * row / total; i < lines * (row + rows) / total; i++)
        __builtin_prefetch(next + i * CACHE_LINE, 0, 3);
}

/* Asks for the rows of a tile, which are read or written when its sums are done. */
AM_INLINE void prefetch_tile(const float *at, int64_t rows, int64_t row)
{
    for (int64_t i = 0; i < rows; i++) {
        __builtin_prefetch(at + i * row, 0, 3);
        __builtin_prefetch(at + i * row + CACHE_LINE / sizeof(float), 0, 3);
    }
}

/* rows x vectors results from row m on. */
AM_INLINE void part(form f, int rows, int vectors, int64_t last, int64_t m, int64_t K, const float *a, int64_t lda,
                    const void *panel, float *c, int64_t ldc, bool accumulate, const am_ending *ending)
{
    am_ending own;
    float *to = c + m * ldc;
    prefetch_tile(to, rows, ldc);
    if (ending) {
        own = *ending;
        if (own.residual) own.residual += m * ldc;
        if (own.residual && own.residual != to) prefetch_tile(own.residual, rows, ldc);
    }
    tile(f, true, rows, vectors, last, K, a + m * lda, lda, panel, COLUMNS, to, ldc, accumulate, ending ? &own : NULL);
}

/* Rows that whole tiles leave over go by in tiles of three and of four, which cost less for a row than one row alone
   does, where so many of them leave nothing but whole ones. */
typedef struct small_tiles {
    int64_t fours, threes;
} small_tiles;

/* Tiles of four are there for what is so narrow that the sums of three rows wait for each other. */
AM_INLINE bool has_fours(int vectors)
{
    return 3 * vectors < 8 && AM_TILE_ROWS(vectors) > 4;
}

AM_INLINE small_tiles small_tiles_of(int64_t M, int64_t rows, int vectors)
{
    for (int64_t count = M % rows ? 1 : rows; count < rows; count++)
        for (int64_t fours = has_fours(vectors) ? count : 0; fours >= 0; fours--) {
            int64_t left = M - 4 * fours - 3 * (count - fours);
            if (left >= 0 && left % rows == 0) return (small_tiles){fours, count - fours};
        }
    return (small_tiles){0};
}

AM_INLINE void multiply(form f, int vectors, int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda,
                        const void *panel, const void *next, float *c, int64_t ldc, bool accumulate,
                        const am_ending *ending)
{
    int64_t last = columns - (vectors - 1) * AM_WIDTH, rows = AM_TILE_ROWS(vectors), m = 0;
    int64_t lines = next ? K * COLUMNS * (f == FORM_F32 ? 4 : 2) / CACHE_LINE : 0;
    small_tiles small = small_tiles_of(M, rows, vectors);
    int64_t whole = M - 4 * small.fours - 3 * small.threes;
    for (; m + rows <= whole; m += rows) {
        prefetch(next, lines, m, rows, M);
        part(f, AM_TILE_ROWS(vectors), vectors, last, m, K, a, lda, panel, c, ldc, accumulate, ending);
    }
    for (; has_fours(vectors) && small.fours > 0; small.fours--, m += 4)
        part(f, 4, vectors, last, m, K, a, lda, panel, c, ldc, accumulate, ending);
    for (; m + 3 <= M; m += 3) part(f, 3, vectors, last, m, K, a, lda, panel, c, ldc, accumulate, ending);
    for (; m < M; m++) part(f, 1, vectors, last, m, K, a, lda, panel, c, ldc, accumulate, ending);
}

AM_INLINE void multiply_form(form f, int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda,
                             const void *panel, const void *next, float *c, int64_t ldc, bool accumulate,
                             const am_ending *ending)
{
    int64_t vectors = (columns + AM_WIDTH - 1) / AM_WIDTH;
    if (vectors == AM_TILE_VECTORS)
        multiply(f, AM_TILE_VECTORS, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
#if AM_TILE_VECTORS == 4
    else if (vectors == 3) multiply(f, 3, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
#endif
    else if (vectors == 2) multiply(f, 2, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
    else if (vectors == 1) multiply(f, 1, M, columns, K, a, lda, panel, next, c, ldc, accumulate, ending);
}

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

/* Products with a packed weight, for the files that have a form of it. A panel is [K][AM_PANEL_COLUMNS] of the weight's
   numbers, zeros where it has fewer columns; a tile of AM_TILE_ROWS x AM_PANEL_COLUMNS results stays in registers while
   k runs, so each result is one sequence over k. */
#ifndef AM_TARGETS_CPU_KERNELS_PANEL_H
#define AM_TARGETS_CPU_KERNELS_PANEL_H

#include "targets/cpu/kernels/tile.h"

enum { COLUMNS = AM_PANEL_COLUMNS, LINE_NUMBERS = 16 };

/* Asks for the rows of a tile, which are read or written when its sums are done. */
AM_INLINE void prefetch_tile(const float *at, int vectors, int64_t rows, int64_t row)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < vectors * AM_WIDTH; k += LINE_NUMBERS) __builtin_prefetch(at + i * row + k, 0, 3);
}

/* The share that so many of M rows from row m on have in what is needed next, of which there is as much as there is of
   the panel, so that all of it is there when all rows are done. */
AM_INLINE ahead share_of(form f, const void *next, int64_t K, int64_t M, int64_t m, int64_t rows)
{
    int64_t row = COLUMNS * (f == FORM_BF16 || f == FORM_F16 ? 2 : 4);
    return (ahead){(const char *)next + row * K * m / M, (row * rows + M - 1) / M};
}

/* How far ahead of itself a single row asks for floats, of which wide panels have whole lines: further than a processor
   does by itself. For numbers of 16 bits, and narrow panels, that only comes in its way. */
enum { FAR_BYTES = 16384 };

/* rows x vectors results from row m of M on. */
AM_INLINE void part(form f, int rows, int vectors, int64_t last, int64_t M, int64_t m, int64_t K, const float *a,
                    int64_t lda, const void *panel, const void *next, float *c, int64_t ldc, bool accumulate,
                    const am_ending *ending)
{
    ahead share = next ? share_of(f, next, K, M, m, rows) : (ahead){panel, 0};
    if (f == FORM_F32 && rows == 1 && !next && COLUMNS >= 64)
        share = (ahead){(const char *)panel + FAR_BYTES, COLUMNS * 4};
    am_ending own;
    float *to = c + m * ldc;
    prefetch_tile(to, vectors, rows, ldc);
    if (ending) {
        own = *ending;
        if (own.residual) own.residual += m * ldc;
        if (own.residual && own.residual != to) prefetch_tile(own.residual, vectors, rows, ldc);
    }
    tile(f, true, rows, vectors, last, K, a + m * lda, lda, panel, COLUMNS, to, ldc, accumulate, ending ? &own : NULL,
         share);
}

/* Rows that whole tiles leave over go by in tiles of three and of four, which cost less for a row than one row alone
   does, where so many of them leave nothing but whole ones. */
typedef struct small_tiles {
    int64_t fours, threes;
} small_tiles;

/* Tiles of four are there for what is so narrow that the sums of three rows wait for each other, and where threes alone
   would leave single rows over. */
AM_INLINE bool has_fours(int vectors)
{
    return AM_TILE_ROWS(vectors) > 4;
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
    small_tiles small = small_tiles_of(M, rows, vectors);
    int64_t whole = M - 4 * small.fours - 3 * small.threes;
    for (; m + rows <= whole; m += rows)
        part(f, AM_TILE_ROWS(vectors), vectors, last, M, m, K, a, lda, panel, next, c, ldc, accumulate, ending);
    for (; has_fours(vectors) && small.fours > 0; small.fours--, m += 4)
        part(f, 4, vectors, last, M, m, K, a, lda, panel, next, c, ldc, accumulate, ending);
    for (; m + 3 <= M; m += 3) part(f, 3, vectors, last, M, m, K, a, lda, panel, next, c, ldc, accumulate, ending);
    for (; m < M; m++) part(f, 1, vectors, last, M, m, K, a, lda, panel, next, c, ldc, accumulate, ending);
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

#endif

/* Products of pairs (am_pair) in the tiles of AMX: 16 rows of 16 sums, of 16 pairs along K, or of 16 columns of as many
   pairs, which is how panels of pairs lie. Four tiles are summed together: two of rows by two of columns or, where
   there are rows for one, one by four, so that a panel is read as it lies. A step takes 16 pairs of K, what is left
   over as many with zeros; so a result is the same whatever rows it is computed with, and wherever K is cut, as long as
   that is at such a step. */
#ifndef AM_TARGETS_CPU_KERNELS_AMX_H
#define AM_TARGETS_CPU_KERNELS_AMX_H

#include "targets/cpu/kernels/panel.h"

enum { SIDE16 = 16, TWO_SIDES = 32, SIDE_BYTES = 64 };

/* The instructions; a test has them in plain C (AM_TILES_IN_C). Those of the compiler say nothing of the memory that
   they read and write. */
#if !defined(AM_TILES_IN_C)
#define tile_configure(shapes)      __asm__ volatile("ldtilecfg %0" : : "m"(*(shapes)))
#define tile_release()              _tile_release()
#define tile_zero(t)                _tile_zero(t)
#define tile_load(t, from, row)     _tile_loadd(t, from, row)
#define tile_store(t, to, row)      _tile_stored(t, to, row)
#define tile_add_products(to, a, b) _tile_dpbf16ps(to, a, b)
#endif

/* What LDTILECFG reads. */
typedef struct tile_shapes {
    _Alignas(64) uint8_t palette;
    uint8_t start_row, unused[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} tile_shapes;

/* Tiles 0 to 3 are sums, 4 and 5 rows of a, 6 and 7 columns of the panel. */
static void shape_tiles(int64_t rows)
{
    int64_t first = rows < SIDE16 ? rows : SIDE16, second = rows - first, last = second ? second : first;
    const int64_t counts[] = {first, first, last, last, first, second, SIDE16, SIDE16};
    tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) shapes.rows[i] = (uint8_t)counts[i], shapes.bytes[i] = counts[i] ? SIDE_BYTES : 0;
    tile_configure(&shapes);
}

/* Up to TWO_SIDES rows and columns, or SIDE16 rows and all columns, and the steps of K. Rows and columns of what is
 * left over have zeros behind them. */
typedef struct amx_block {
    int64_t rows, columns, steps;
    const am_pair *a, *panel;           /* lda and COLUMNS pairs apart */
    const am_pair *a_rest, *panel_rest; /* SIDE16 and COLUMNS apart; null: nothing is left over */
    int64_t lda;
    const char *next; /* what is asked for, so many lines with each step; null: nothing */
    int64_t next_lines;
} amx_block;

/* How many tiles of rows and of columns; one and up to four, or two and up to two. */
typedef struct amx_form {
    int rows, columns;
} amx_form;

AM_INLINE void multiply_step(amx_form f, const am_pair *a, int64_t lda, const am_pair *b)
{
    size_t a_row = (size_t)lda * sizeof *a, b_row = COLUMNS * sizeof *b;
    tile_load(4, a, a_row);
    if (f.rows == 2) tile_load(5, a + SIDE16 * lda, a_row);
    tile_load(6, b, b_row);
    tile_add_products(0, 4, 6);
    if (f.rows == 2) tile_add_products(2, 5, 6);
    if (f.columns < 2) return;
    tile_load(7, b + SIDE16, b_row);
    tile_add_products(1, 4, 7);
    if (f.rows == 2) tile_add_products(3, 5, 7);
    if (f.columns < 3) return;
    tile_load(6, b + 2 * SIDE16, b_row);
    tile_add_products(2, 4, 6);
    if (f.columns < 4) return;
    tile_load(7, b + 3 * SIDE16, b_row);
    tile_add_products(3, 4, 7);
}

/* Where tiles 2 and 3 are. */
AM_INLINE int64_t third_sums(amx_form f, int64_t row)
{
    return f.rows == 2 ? SIDE16 * row : 2 * SIDE16;
}

AM_INLINE void begin_sums(amx_form f, const float *c, int64_t ld)
{
    size_t row = (size_t)ld * sizeof *c;
    bool third = f.rows == 2 || f.columns > 2, fourth = f.rows == 2 ? f.columns == 2 : f.columns > 3;
    if (!c) {
        tile_zero(0);
        if (f.columns > 1) tile_zero(1);
        if (third) tile_zero(2);
        if (fourth) tile_zero(3);
        return;
    }
    tile_load(0, c, row);
    if (f.columns > 1) tile_load(1, c + SIDE16, row);
    if (third) tile_load(2, c + third_sums(f, ld), row);
    if (fourth) tile_load(3, c + third_sums(f, ld) + SIDE16, row);
}

AM_INLINE void store_sums(amx_form f, float *c, int64_t ld)
{
    size_t row = (size_t)ld * sizeof *c;
    bool third = f.rows == 2 || f.columns > 2, fourth = f.rows == 2 ? f.columns == 2 : f.columns > 3;
    tile_store(0, c, row);
    if (f.columns > 1) tile_store(1, c + SIDE16, row);
    if (third) tile_store(2, c + third_sums(f, ld), row);
    if (fourth) tile_store(3, c + third_sums(f, ld) + SIDE16, row);
}

/* from: sums so far, or null; to: where they go; rows of both are `ld` numbers apart. */
AM_INLINE void multiply_tiles(amx_form f, amx_block *b, const float *from, float *to, int64_t ld)
{
    begin_sums(f, from, ld);
    for (int64_t k = 0; k < b->steps; k++) {
        multiply_step(f, b->a + k * SIDE16, b->lda, b->panel + k * SIDE16 * COLUMNS);
        for (int64_t i = 0; b->next && i < b->next_lines; i++, b->next += SIDE_BYTES) __builtin_prefetch(b->next, 0, 2);
    }
    if (b->a_rest) multiply_step(f, b->a_rest, SIDE16, b->panel_rest);
    store_sums(f, to, ld);
}

/* Of all that was written before, or is read after. */
AM_INLINE void finish_memory(void)
{
    __asm__ volatile("" : : : "memory");
}

static void multiply_block(amx_block *b, const float *from, float *to, int64_t ld)
{
    int64_t tiles = (b->columns + SIDE16 - 1) / SIDE16;
    finish_memory();
    if (b->rows > SIDE16 && tiles > 1) multiply_tiles((amx_form){2, 2}, b, from, to, ld);
    else if (b->rows > SIDE16) multiply_tiles((amx_form){2, 1}, b, from, to, ld);
    else if (tiles > 3) multiply_tiles((amx_form){1, 4}, b, from, to, ld);
    else if (tiles > 2) multiply_tiles((amx_form){1, 3}, b, from, to, ld);
    else if (tiles > 1) multiply_tiles((amx_form){1, 2}, b, from, to, ld);
    else multiply_tiles((amx_form){1, 1}, b, from, to, ld);
    finish_memory();
}

/* Results of a row, from `sums` into c, a vector at a time. */
AM_INLINE void end_row(int64_t columns, const float *sums_of_row, float *c, const am_ending *ending,
                       int64_t residual_at)
{
    for (int64_t n = 0; n < columns; n += AM_WIDTH) {
        int64_t count = columns - n < AM_WIDTH ? columns - n : AM_WIDTH;
        sums sum;
        sum[0][0] = vload(sums_of_row + n);
        if (ending) {
            am_ending own = {.factors = ending->factors ? ending->factors + n : NULL,
                             .terms = ending->terms ? ending->terms + n : NULL,
                             .residual = ending->residual ? ending->residual + residual_at + n : NULL,
                             .relu = ending->relu};
            end_sums(1, 1, count, sum, 0, &own);
        }
        vstore_n(c + n, sum[0][0], count);
    }
}

/* The last `rest` pairs of rows, zeros behind them. */
static void copy_rest(const am_pair *from, int64_t row, int64_t rows, int64_t rest, am_pair *to)
{
    for (int64_t i = 0; i < rows; i++, from += row, to += SIDE16) {
        memcpy(to, from, (size_t)rest * sizeof *to);
        memset(to + rest, 0, (size_t)(SIDE16 - rest) * sizeof *to);
    }
}

/* See am_micro.gemm_pairs. */
static void multiply_amx(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                         const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending)
{
    _Alignas(64) float results[TWO_SIDES * COLUMNS];
    _Alignas(64) am_pair a_rest[TWO_SIDES * SIDE16], panel_rest[SIDE16 * COLUMNS];
    int64_t steps = K / SIDE16, rest = K % SIDE16, shaped = 0;
    bool ends = ending && (ending->factors || ending->terms || ending->residual || ending->relu);
    bool apart = ends || columns % SIDE16; /* results are in memory of this function first */
    if (rest) {
        memcpy(panel_rest, panel + steps * SIDE16 * COLUMNS, (size_t)(rest * COLUMNS) * sizeof *panel);
        memset(panel_rest + rest * COLUMNS, 0, (size_t)((SIDE16 - rest) * COLUMNS) * sizeof *panel);
    }
    int64_t all_steps = (M + TWO_SIDES - 1) / TWO_SIDES * ((columns + TWO_SIDES - 1) / TWO_SIDES) * (steps ? steps : 1);
    amx_block b = {.steps = steps,
                   .lda = lda,
                   .a_rest = rest ? a_rest : NULL,
                   .next = (const char *)next,
                   .next_lines =
                       all_steps ? (K * COLUMNS * (int64_t)sizeof *next / SIDE_BYTES + all_steps - 1) / all_steps : 0};
    for (int64_t m = 0; m < M; m += TWO_SIDES) {
        b.rows = M - m < TWO_SIDES ? M - m : TWO_SIDES, b.a = a + m * lda;
        if (rest) copy_rest(b.a + steps * SIDE16, lda, b.rows, rest, a_rest);
        if (shaped != b.rows) shape_tiles(b.rows);
        shaped = b.rows;
        for (int64_t i = 0; apart && accumulate && i < b.rows; i++)
            memcpy(results + i * COLUMNS, c + (m + i) * ldc, (size_t)columns * sizeof *c);
        int64_t width = b.rows > SIDE16 ? TWO_SIDES : COLUMNS;
        for (int64_t n = 0; n < columns; n += width) {
            float *to = apart ? results + n : c + m * ldc + n;
            b.columns = columns - n < width ? columns - n : width;
            b.panel = panel + n, b.panel_rest = panel_rest + n;
            multiply_block(&b, accumulate ? to : NULL, to, apart ? COLUMNS : ldc);
        }
        for (int64_t i = 0; apart && i < b.rows; i++)
            end_row(columns, results + i * COLUMNS, c + (m + i) * ldc, ends ? ending : NULL, (m + i) * ldc);
    }
    tile_release();
}

#endif

#include "targets/cpu/kernels/turn.h"

#include <string.h>

/* A block's lines of both matrices stay in the first cache; a tile of SIDE x SIDE elements is turned in registers. */
enum { SIDE = 4, BLOCK_ROWS = 32, BLOCK_COLUMNS = 16 };

typedef uint32_t four __attribute__((vector_size(16)));

static four load(const uint32_t *from)
{
    four x;
    memcpy(&x, from, sizeof x);
    return x;
}

static void tile(const uint32_t *from, int64_t from_row, uint32_t *to, int64_t to_row)
{
    four a = load(from), b = load(from + from_row), c = load(from + 2 * from_row), d = load(from + 3 * from_row);
    four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    four turned[SIDE] = {
        __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < SIDE; i++) memcpy(to + i * to_row, &turned[i], sizeof turned[i]);
}

static void single(const uint32_t *from, int64_t from_row, uint32_t *to, int64_t to_row, int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < rows; r++) to[c * to_row + r] = from[r * from_row + c];
}

static void block(const uint32_t *from, int64_t from_row, uint32_t *to, int64_t to_row, int64_t rows, int64_t columns)
{
    int64_t whole_rows = rows / SIDE * SIDE, whole_columns = columns / SIDE * SIDE;
    for (int64_t c = 0; c < whole_columns; c += SIDE)
        for (int64_t r = 0; r < whole_rows; r += SIDE)
            tile(from + r * from_row + c, from_row, to + c * to_row + r, to_row);
    single(from + whole_rows * from_row, from_row, to + whole_rows, to_row, rows - whole_rows, columns);
    single(from + whole_columns, from_row, to + whole_columns * to_row, to_row, whole_rows, columns - whole_columns);
}

void am_turn_matrix(const void *from, int64_t from_row, void *to, int64_t to_row, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r += BLOCK_ROWS)
        for (int64_t c = 0; c < columns; c += BLOCK_COLUMNS)
            block((const uint32_t *)from + r * from_row + c, from_row, (uint32_t *)to + c * to_row + r, to_row,
                  rows - r < BLOCK_ROWS ? rows - r : BLOCK_ROWS,
                  columns - c < BLOCK_COLUMNS ? columns - c : BLOCK_COLUMNS);
}

#include "amx_plain.h"

#include <stddef.h>

#if defined(__AVX512F__)
#define AM_TILES_IN_C
#define tile_configure(shapes)      plain_configure(shapes)
#define tile_release()              plain_release()
#define tile_zero(t)                plain_zero(t)
#define tile_load(t, from, row)     plain_load(t, (const char *)(from), row)
#define tile_store(t, to, row)      plain_store(t, (char *)(to), row)
#define tile_add_products(to, a, b) plain_add_products(to, a, b)

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/dtype.h"

enum { ROWS = 16, ROW_BYTES = 64 };

static struct {
    uint8_t rows[8];
    uint16_t bytes[8];
    uint8_t tiles[8][ROWS][ROW_BYTES];
} amx;

/* What the processor answers with an exception. */
static void must(bool holds)
{
    if (!holds) abort();
}

struct tile_shapes;
static void plain_configure(const struct tile_shapes *shapes);

static void plain_release(void)
{
    memset(&amx, 0, sizeof amx);
}

static void plain_zero(int t)
{
    must(amx.rows[t] > 0);
    memset(amx.tiles[t], 0, sizeof amx.tiles[t]);
}

static void plain_load(int t, const char *from, size_t row)
{
    plain_zero(t);
    for (int i = 0; i < amx.rows[t]; i++) memcpy(amx.tiles[t][i], from + (size_t)i * row, amx.bytes[t]);
}

static void plain_store(int t, char *to, size_t row)
{
    must(amx.rows[t] > 0);
    for (int i = 0; i < amx.rows[t]; i++) memcpy(to + (size_t)i * row, amx.tiles[t][i], amx.bytes[t]);
}

static float number_of(int t, int row, int index)
{
    uint16_t half;
    memcpy(&half, amx.tiles[t][row] + 2 * index, sizeof half);
    return am_bf16_to_f32(half);
}

/* TDPBF16PS: the first numbers of pairs and the second ones have sums of their own. */
static void plain_add_products(int to, int a, int b)
{
    must(amx.rows[to] > 0 && amx.rows[to] == amx.rows[a] && amx.bytes[to] == amx.bytes[b]);
    must(amx.bytes[a] == 4 * amx.rows[b]);
    for (int m = 0; m < amx.rows[to]; m++)
        for (int n = 0; n < amx.bytes[to] / 4; n++) {
            float sum, parts[2] = {0};
            for (int k = 0; k < amx.rows[b]; k++)
                for (int i = 0; i < 2; i++)
                    parts[i] = fmaf(number_of(a, m, 2 * k + i), number_of(b, k, 2 * n + i), parts[i]);
            memcpy(&sum, amx.tiles[to][m] + 4 * n, sizeof sum);
            sum += parts[0] + parts[1];
            memcpy(amx.tiles[to][m] + 4 * n, &sum, sizeof sum);
        }
}

#include "targets/cpu/kernels/amx.h"

static void plain_configure(const tile_shapes *shapes)
{
    plain_release();
    must(shapes->palette == 1 && shapes->start_row == 0);
    for (int i = 0; i < 8; i++) {
        must(shapes->rows[i] <= ROWS && shapes->bytes[i] <= ROW_BYTES && !shapes->rows[i] == !shapes->bytes[i]);
        amx.rows[i] = shapes->rows[i], amx.bytes[i] = shapes->bytes[i];
    }
}

amx_gemm_pairs amx_plain_gemm_pairs(void)
{
    return multiply_amx;
}
#else
amx_gemm_pairs amx_plain_gemm_pairs(void)
{
    return NULL;
}
#endif

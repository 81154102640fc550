/* Filters of single channels where channels are neighbours: a tile of PLACES results of `vectors` vectors of channels.
 */
#include "targets/cpu/kernels/micro.h"

#if AM_TILE_VECTORS == 4
enum { PLACES = 8, VECTORS = 2 };
#else
enum { PLACES = 6, VECTORS = 2 };
#endif

AM_INLINE void tile(int places, int vectors, int64_t last, const float *x, int64_t x_place, const int64_t *offsets,
                    const float *weights, int64_t row, int64_t taps, float *y, int64_t y_place)
{
    vf sum[PLACES][VECTORS];
#pragma GCC unroll 8
    for (int i = 0; i < places; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = vset(0);
    for (int64_t t = 0; t < taps; t++) {
        const float *from = x + offsets[t];
        vf w[VECTORS];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            w[v] = vload_n(weights + t * row + v * AM_WIDTH, v == vectors - 1 ? last : AM_WIDTH);
#pragma GCC unroll 8
        for (int i = 0; i < places; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                sum[i][v] = vfma(w[v], vload_n(from + i * x_place + v * AM_WIDTH, v == vectors - 1 ? last : AM_WIDTH),
                                 sum[i][v]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < places; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            vstore_n(y + i * y_place + v * AM_WIDTH, sum[i][v], v == vectors - 1 ? last : AM_WIDTH);
}

AM_INLINE void line(int vectors, int64_t last, const float *x, int64_t x_place, const int64_t *offsets,
                    const float *weights, int64_t row, int64_t taps, float *y, int64_t y_place, int64_t count)
{
    int64_t i = 0;
    for (; i + PLACES <= count; i += PLACES)
        tile(PLACES, vectors, last, x + i * x_place, x_place, offsets, weights, row, taps, y + i * y_place, y_place);
    for (; i + 3 <= count; i += 3)
        tile(3, vectors, last, x + i * x_place, x_place, offsets, weights, row, taps, y + i * y_place, y_place);
    for (; i < count; i++)
        tile(1, vectors, last, x + i * x_place, x_place, offsets, weights, row, taps, y + i * y_place, y_place);
}

void AM_TEMPLATE(filter)(const float *x, int64_t x_place, const int64_t *offsets, const float *weights, int64_t row,
                         int64_t taps, float *y, int64_t y_place, int64_t count, int64_t channels)
{
    int64_t c = 0;
    for (; c + VECTORS * AM_WIDTH <= channels; c += VECTORS * AM_WIDTH)
        line(VECTORS, AM_WIDTH, x + c, x_place, offsets, weights + c, row, taps, y + c, y_place, count);
    for (; c + AM_WIDTH <= channels; c += AM_WIDTH)
        line(1, AM_WIDTH, x + c, x_place, offsets, weights + c, row, taps, y + c, y_place, count);
    if (c < channels) line(1, channels - c, x + c, x_place, offsets, weights + c, row, taps, y + c, y_place, count);
}

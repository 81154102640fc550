/* A filter of one channel: numbers at fixed distances, each with a weight. */
#include "targets/cpu/kernels/micro.h"

enum { VECTORS = 4 };

AM_INLINE void block(int vectors, int64_t last, const float *x, const int64_t *offsets, const float *weights,
                     int64_t taps, float bias, float *y)
{
    vf sum[VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sum[v] = vset(bias);
    for (int64_t t = 0; t < taps; t++) {
        const float *from = x + offsets[t];
        vf w = vset(weights[t]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sum[v] =
                vfma(w, v == vectors - 1 ? vload_n(from + v * AM_WIDTH, last) : vload(from + v * AM_WIDTH), sum[v]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) vstore_n(y + v * AM_WIDTH, sum[v], v == vectors - 1 ? last : AM_WIDTH);
}

void AM_TEMPLATE(taps)(const float *x, const int64_t *offsets, const float *weights, int64_t taps, float bias, float *y,
                       int64_t count)
{
    int64_t i = 0;
    for (; i + VECTORS * AM_WIDTH <= count; i += VECTORS * AM_WIDTH)
        block(VECTORS, AM_WIDTH, x + i, offsets, weights, taps, bias, y + i);
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) block(1, AM_WIDTH, x + i, offsets, weights, taps, bias, y + i);
    if (i < count) block(1, count - i, x + i, offsets, weights, taps, bias, y + i);
}

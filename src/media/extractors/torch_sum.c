#include "media/extractors/torch_sum.h"

enum { LANES = 8, STREAMS = 4, LEVELS = 4 };

static int64_t level_power(int64_t count)
{
    int64_t bits = 0;
    while (INT64_C(1) << bits < count) bits++;
    return bits / LEVELS > 4 ? bits / LEVELS : 4;
}

/* multi_row_sum: sums are kept on levels, so that numbers are added to sums of about as many. */
static float cascade_sum(const float *values, int64_t step, int64_t count)
{
    float sums[LEVELS] = {0};
    int64_t power = level_power(count), block = INT64_C(1) << power, i = 0;
    while (i + block <= count) {
        for (int64_t end = i + block; i < end; i++) sums[0] += values[i * step];
        for (int level = 1; level < LEVELS; level++) {
            sums[level] += sums[level - 1];
            sums[level - 1] = 0.0f;
            if (i & (block - 1) << (level * power)) break;
        }
    }
    for (; i < count; i++) sums[0] += values[i * step];
    for (int level = 1; level < LEVELS; level++) sums[0] += sums[level];
    return sums[0];
}

/* row_sum: numbers are dealt out to streams. */
static float stream_sum(const float *values, int64_t step, int64_t count)
{
    int64_t groups = count / STREAMS;
    float streams[STREAMS];
    for (int s = 0; s < STREAMS; s++) streams[s] = cascade_sum(values + s * step, STREAMS * step, groups);
    for (int64_t i = groups * STREAMS; i < count; i++) streams[0] += values[i * step];
    for (int s = 1; s < STREAMS; s++) streams[0] += streams[s];
    return streams[0];
}

float am_torch_sum(const float *values, int64_t count)
{
    float sum = 0.0f;
    int64_t vectors = count / LANES;
    for (int64_t t = vectors * LANES; t < count; t++) sum += values[t];
    for (int lane = 0; lane < LANES && vectors; lane++) sum += stream_sum(values + lane, LANES, vectors);
    return sum;
}

/* Columns go by four vectors at a time; those that are left over by streams. */
float am_torch_column_sum(const float *values, int64_t count, int64_t width, int64_t column)
{
    if (column < width / (STREAMS * LANES) * (STREAMS * LANES)) return cascade_sum(values + column, width, count);
    return stream_sum(values + column, width, count);
}

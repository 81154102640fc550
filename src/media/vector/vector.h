/* Vector routines for pictures: picture_tmpl.c is compiled once for each instruction set of
   the machine's architecture and gives a table each time. All tables give the same bits. */
#ifndef AM_MEDIA_VECTOR_VECTOR_H
#define AM_MEDIA_VECTOR_VECTOR_H

#include <stdint.h>

/* The bits of a weight's lower part, where it has two: weight = high * 2^AM_WEIGHT_LOW_BITS + low. */
enum { AM_WEIGHT_LOW_BITS = 11 };

/* A shift and a factor of one channel: (value - mean) / std. */
typedef struct am_channel_scale {
    float mean, std;
} am_channel_scale;

typedef struct am_media_vector {
    const char *name; /* "avx2" */

    /* out[x] = the sum over t < taps of weight[t] * in[t * stride + x], and half of 2^bits, shifted right by bits, as
       a byte: what is less or more becomes 0 or 255. Sums have to fit in 32 bits. low null: weights have one part. */
    void (*weigh)(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                  int64_t count, int bits, uint8_t *out);

    /* out[c * out_stride + r] = in[r * in_stride + c] */
    void (*turn)(const uint8_t *in, int64_t in_stride, int64_t rows, int64_t columns, uint8_t *out, int64_t out_stride);

    /* pixels: [count, 3]; planes: [3, plane], of which the first `count` of each row are written. */
    void (*split)(const uint8_t *pixels, int64_t count, uint8_t *planes, int64_t plane);

    /* As floats; then times `scale`, or less the mean and over the deviation. out may be in where that is floats. */
    void (*widen)(const uint8_t *in, int64_t count, float *out);
    void (*rescale_bytes)(const uint8_t *in, int64_t count, float scale, float *out);
    void (*rescale)(const float *in, int64_t count, float scale, float *out);
    void (*normalize_bytes)(const uint8_t *in, int64_t count, am_channel_scale channel, float *out);
    void (*normalize)(const float *in, int64_t count, am_channel_scale channel, float *out);
} am_media_vector;

/* The best table that this processor runs; never null. */
const am_media_vector *am_media_vector_best(void);

/* Those that this processor runs, the plainest first; null where there are not so many. */
const am_media_vector *am_media_vector_at(int index);

#endif

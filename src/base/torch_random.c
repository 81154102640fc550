#include "base/torch_random.h"

#include <math.h>

enum { WORDS = AM_TWISTER_WORDS, MIDDLE = 397, BLOCK = 16 };

void am_twister_seed(am_twister *t, uint64_t seed)
{
    t->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WORDS; i++)
        t->state[i] = UINT32_C(1812433253) * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->next = WORDS;
}

static void twist(am_twister *t)
{
    for (int i = 0; i < WORDS; i++) {
        uint32_t next = t->state[(i + 1) % WORDS];
        uint32_t y = (t->state[i] & UINT32_C(0x80000000)) | (next & UINT32_C(0x7fffffff));
        t->state[i] = t->state[(i + MIDDLE) % WORDS] ^ y >> 1 ^ (next & 1 ? UINT32_C(0x9908b0df) : 0);
    }
    t->next = 0;
}

uint32_t am_twister_draw(am_twister *t)
{
    if (t->next == WORDS) twist(t);
    uint32_t y = t->state[t->next++];
    y ^= y >> 11;
    y ^= y << 7 & UINT32_C(0x9d2c5680);
    y ^= y << 15 & UINT32_C(0xefc60000);
    return y ^ y >> 18;
}

/* In [0, 1), of 24 bits and of 53. */
static float uniform(am_twister *t)
{
    return (float)(am_twister_draw(t) & UINT32_C(0xffffff)) * 0x1p-24f;
}

static double uniform_double(am_twister *t)
{
    uint64_t high = am_twister_draw(t), low = am_twister_draw(t);
    return (double)((high << 32 | low) & UINT64_C(0x1fffffffffffff)) * 0x1p-53;
}

/* 16 normal numbers of as many uniform ones. */
static void normal_block(am_twister *t, float *out)
{
    for (int i = 0; i < BLOCK; i++) out[i] = uniform(t);
    for (int i = 0; i < BLOCK / 2; i++) {
        float radius = sqrtf(-2 * logf(1 - out[i])), angle = (float)(2 * acos(-1)) * out[i + BLOCK / 2];
        out[i] = radius * cosf(angle);
        out[i + BLOCK / 2] = radius * sinf(angle);
    }
}

/* Fewer than a block: in double, two at a time. */
static void normal_pairs(am_twister *t, float *out, size_t count)
{
    for (size_t i = 0; i < count; i += 2) {
        double angle = 2 * acos(-1) * uniform_double(t), radius = sqrt(-2 * log1p(-uniform_double(t)));
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < count) out[i + 1] = (float)(radius * sin(angle));
    }
}

void am_torch_randn(uint64_t seed, float *out, size_t count)
{
    am_twister t;
    am_twister_seed(&t, seed);
    if (count < BLOCK) {
        normal_pairs(&t, out, count);
        return;
    }
    /* of the last incomplete block numbers are drawn, and drawn anew with those before them that make it whole */
    size_t whole = count - count % BLOCK;
    for (size_t i = 0; i < whole; i += BLOCK) normal_block(&t, out + i);
    if (whole == count) return;
    for (size_t i = whole; i < count; i++) (void)uniform(&t);
    normal_block(&t, out + count - BLOCK);
}

#include "base/prng.h"

uint64_t am_fnv1a_more(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < length; i++) hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t am_fnv1a(const void *bytes, size_t length)
{
    return am_fnv1a_more(UINT64_C(0xcbf29ce484222325), bytes, length);
}

uint64_t am_splitmix(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

double am_uniform(uint64_t seed, uint64_t i)
{
    return (double)(am_splitmix(seed, i) >> 40) * 0x1p-24;
}

void am_uniform_floats(uint64_t seed, double lo, double hi, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (float)(lo + (hi - lo) * am_uniform(seed, (uint64_t)i));
}

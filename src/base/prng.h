/* Deterministic numbers: FNV-1a names, splitmix64 streams, a counter-based generator for sampling. */
#ifndef AM_BASE_PRNG_H
#define AM_BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bit, of the bytes. */
uint64_t am_fnv1a(const void *bytes, size_t length);

/* Continues a hash with more bytes. */
uint64_t am_fnv1a_more(uint64_t hash, const void *bytes, size_t length);

/* The i-th (from 0) output of splitmix64 started at `seed` (Steele, Lea, Flood 2014). */
uint64_t am_splitmix(uint64_t seed, uint64_t i);

/* The i-th number of the stream in [0, 1), a multiple of 2^-24. */
double am_uniform(uint64_t seed, uint64_t i);

/* The numbers that recorded files say by name: `count` of the stream, from lo to hi, in single precision. */
void am_uniform_floats(uint64_t seed, double lo, double hi, int64_t count, float *out);

#endif

/* The random numbers of torch on a CPU, for models that compute with numbers drawn from a seed in their configuration.
 */
#ifndef AM_BASE_TORCH_RANDOM_H
#define AM_BASE_TORCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The generator behind them, and behind numpy.random.seed: Mersenne Twister (Matsumoto and Nishimura 1998). */
enum { AM_TWISTER_WORDS = 624 };
typedef struct am_twister {
    uint32_t state[AM_TWISTER_WORDS];
    int next;
} am_twister;

/* Starts it as init_genrand does; 32 bits. */
void am_twister_seed(am_twister *twister, uint64_t seed);
uint32_t am_twister_draw(am_twister *twister);

/* What torch.manual_seed(seed); torch.randn(count) gives in float32, up to what logarithms and cosines round
   differently. Mersenne Twister (Matsumoto and Nishimura 1998) and Box-Muller, as ATen's MT19937RNGEngine.h and
   DistributionTemplates.h (normal_fill) have them. */
void am_torch_randn(uint64_t seed, float *out, size_t count);

#endif

/* The random numbers of torch on a CPU, for models that compute with numbers drawn from a seed in their configuration.
 */
#ifndef AM_BASE_TORCH_RANDOM_H
#define AM_BASE_TORCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What torch.manual_seed(seed); torch.randn(count) gives in float32, up to what logarithms and cosines round
   differently. Mersenne Twister (Matsumoto and Nishimura 1998) and Box-Muller, as ATen's MT19937RNGEngine.h and
   DistributionTemplates.h (normal_fill) have them. */
void am_torch_randn(uint64_t seed, float *out, size_t count);

#endif

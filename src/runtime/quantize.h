/* Weights rounded to 8 or 4 bits a number, in the form of am_quantized_linear_attributes. */
#ifndef AM_RUNTIME_QUANTIZE_H
#define AM_RUNTIME_QUANTIZE_H

#include "base/status.h"
#include "graph/ops.h"

typedef struct am_weight_format {
    int bits;        /* 8 or 4; 0: as the files have them */
    bool asymmetric; /* a zero point for each group, of 4 bits; else numbers count from the middle */
} am_weight_format;

/* A weight [N, K]. Scales are BF16: one of 32 numbers then takes half a bit of each, and every scale of a float fits.
 */
typedef struct am_quantized_weight {
    int64_t N, K, group;
    int bits;
    const uint8_t *weight;
    const uint16_t *scales;
    const uint8_t *zero_points; /* null: none */
    size_t bytes;               /* of all three, which lie one after the other */
    void *own;                  /* their memory; null: mapped from the cache folder */
} am_quantized_weight;

/* How many numbers along K share a scale: 32, or all of a row that 32 does not divide; 0 where such a row has no form
   of so many bits. */
int64_t am_quantized_group(int64_t K, int bits);

/* Rounds a weight of any float dtype: [N, K], or [K, N] where it is in_out, whose K has a group. Works on all threads;
   what comes out does not depend on them, nor on the processor. 8 bits: scale = largest |w| / 127. 4 bits: of some
   scales (and zero points) about those that just reach all numbers of the group, what leaves the least squared error.
   A group with a NaN or an infinity becomes NaN. The pages of a file that it was read from are given back, and what
   comes out of one is kept in the cache folder, where the next start finds it (targets/cpu/weight_cache.h). Fails with
   AM_OUT_OF_MEMORY. Ended by am_quantized_weight_deinit while the source is there. */
am_status am_quantize(const am_tensor *source, bool in_out, const am_weight_format *format,
                      am_quantized_weight *out) AM_NODISCARD;
void am_quantized_weight_deinit(am_quantized_weight *weight);

#endif

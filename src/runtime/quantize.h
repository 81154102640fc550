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
    uint8_t *weight;
    uint16_t *scales;
    uint8_t *zero_points; /* null: none */
    size_t bytes;         /* of all three */
} am_quantized_weight;

/* How many numbers along K share a scale: 32, or all of a row that 32 does not divide; 0 where such a row has no form
   of so many bits. */
int64_t am_quantized_group(int64_t K, int bits);

/* Rounds a weight of any float dtype: [N, K], or [K, N] where it is in_out, whose K has a group. Works on all threads;
   what comes out does not depend on them, nor on the processor. 8 bits: scale = largest |w| / 127. 4 bits: of some
   scales (and zero points) about those that just reach all numbers of the group, what leaves the least squared error.
   A group with a NaN or an infinity becomes NaN. Fails with AM_OUT_OF_MEMORY. */
am_status am_quantize(const am_tensor *source, bool in_out, const am_weight_format *format,
                      am_quantized_weight *out) AM_NODISCARD;
void am_quantized_weight_deinit(am_quantized_weight *weight);

#endif

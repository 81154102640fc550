/* HiFi-GAN (arXiv 2010.05646): a spectrogram becomes a wave by transposed convolutions, each followed by residual
   convolutions of several widths, whose mean goes on. */
#ifndef AM_MODELS_BLOCKS_HIFIGAN_H
#define AM_MODELS_BLOCKS_HIFIGAN_H

#include "models/blocks/speech.h"

enum { AM_HIFIGAN_LIMIT = 16 };

/* What the configuration says, named as its fields. */
typedef struct am_hifigan {
    int64_t upsample_initial_channel;
    int upsamples;
    int64_t upsample_rates[AM_HIFIGAN_LIMIT], upsample_kernel_sizes[AM_HIFIGAN_LIMIT];
    int kernels;
    int64_t resblock_kernel_sizes[AM_HIFIGAN_LIMIT];
    int dilations[AM_HIFIGAN_LIMIT]; /* how many of each kernel */
    int64_t resblock_dilation_sizes[AM_HIFIGAN_LIMIT][AM_HIFIGAN_LIMIT];
    double leaky_relu_slope;
    int64_t hop;        /* samples that a frame of the spectrogram becomes */
    bool unbiased_post; /* the last convolution has no bias */
} am_hifigan;

/* The fields of the configuration; `rates` and `kernels` are what absent lists of upsampling stand for, `count` of
 * each.
 */
am_hifigan am_hifigan_read(const am_config *c, const int64_t *rates, const int64_t *kernels, int count);

/* Below the scope: x: [B, C, T] -> [B, T * hop], where kernels are as long as they are meant to be. condition is added
   to what the first convolution gives, or AM_NONE. */
am_value am_hifigan_wave(am_builder *b, am_value x, am_value condition, const am_hifigan *options);

/* A vocoder by itself below the scope, with 4 rates and kernels where lists are absent, whose configuration is c:
   spectrogram: [B, T, bins] or [T, bins], normed by the weights mean and scale where normalize_before says so -> [B, L]
   or [L]. */
am_value am_hifigan_vocoder(am_builder *b, const am_config *c, am_value spectrogram, const int64_t *rates,
                            const int64_t *kernels);

#endif

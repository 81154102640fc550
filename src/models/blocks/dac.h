/* The convolutions of DAC (arXiv 2306.06546), with Snake between them, which other models of sounds took over: a wave
   becomes frames, and frames a wave. transformers: models/dac/modeling_dac.py */
#ifndef AM_MODELS_BLOCKS_DAC_H
#define AM_MODELS_BLOCKS_DAC_H

#include "models/blocks/speech.h"

enum { AM_DAC_RATIOS_LIMIT = 24 };

/* What the configuration says, named as its fields. */
typedef struct am_dac {
    int64_t encoder_hidden_size, decoder_hidden_size;
    int64_t hidden_size; /* of frames */
    int64_t hop_length;  /* samples of a frame */
    int down_count, up_count;
    int64_t downsampling_ratios[AM_DAC_RATIOS_LIMIT], upsampling_ratios[AM_DAC_RATIOS_LIMIT];
    bool odd_strides_keep; /* upsampling by an odd ratio gives a frame more (X-Codec) */
    am_value (*snake)(am_builder *b, const char *name, am_value x); /* what stands in its place: null: am_snake */
} am_dac;

/* The fields of the configuration; `absent` has a class's defaults, where hidden_size 0 and no upsampling_ratios are
   what follows of the others; null: DacConfig's. */
am_dac am_dac_read(const am_config *c, const am_dac *absent);

/* x + sin(alpha x)^2 / alpha, one NAME.alpha a channel: x: [B, C, T]. */
am_value am_snake(am_builder *b, const char *name, am_value x);

/* Below the scope: x: [B, 1, L] -> [B, hidden_size, T]. */
am_value am_dac_encode(am_builder *b, am_value x, const am_dac *options);

/* T of L samples. */
int64_t am_dac_frames(const am_dac *options, int64_t L);

/* Below the scope: x: [B, hidden_size, T] -> [B, 1, L'], before the tanh that DAC itself ends with. */
am_value am_dac_decode(am_builder *b, am_value x, const am_dac *options);

#endif

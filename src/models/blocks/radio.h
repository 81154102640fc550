/* RADIO: a ViT with several class tokens, each for a model that it has learnt of, and registers; positions are those of
   a larger square, resized. transformers: models/radio/modeling_radio.py */
#ifndef AM_MODELS_BLOCKS_RADIO_H
#define AM_MODELS_BLOCKS_RADIO_H

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

enum { AM_RADIO_SUMMARY_LIMIT = 64 };

typedef struct am_radio_options {
    const am_config *config;
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, largest, classes, registers; /* largest: pixels of the square's side */
    int64_t summary[AM_RADIO_SUMMARY_LIMIT];
    int summary_count;
} am_radio_options;

/* The fields of RadioConfig; what is wrong in them is an error of the configuration. */
am_radio_options am_radio_options_read(const am_config *c);

/* Pixels of each patch side by side, channel by channel: x: [B, channels, H, W] -> [B, N, channels * p * p]. */
am_value am_radio_patches(am_builder *b, const am_radio_options *options, am_value x);

/* States of class tokens, registers and patches: [B, classes + registers + N, C], below the scope; patches: [B, grid[0]
   * grid[1], numbers of a patch], projected by the weight `embedder`. */
am_value am_radio_states(am_builder *b, am_radio_options *options, am_value patches, const int64_t grid[2],
                         const char *embedder);

#endif

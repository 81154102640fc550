/* SEANet (arXiv 2107.03312): convolutions and residual units that shorten a wave to a few frames, and the same
   backwards, as the audio codecs EnCodec and Mimi have it; and the codebooks that stand for a frame, each of what the
   one before left over. */
#ifndef AM_MODELS_BLOCKS_SEANET_H
#define AM_MODELS_BLOCKS_SEANET_H

#include "models/blocks/speech.h"

enum { AM_SEANET_RATIOS_LIMIT = 24 };

/* What the configuration says, named as its fields. */
typedef struct am_seanet {
    int64_t audio_channels, num_filters, hidden_size, num_residual_layers;
    int64_t kernel_size, last_kernel_size, residual_kernel_size, dilation_growth_rate, compress;
    int ratio_count;
    int64_t upsampling_ratios[AM_SEANET_RATIOS_LIMIT]; /* in the order of the decoder */
    int64_t hop;                                       /* samples of a frame: their product */
    bool use_causal_conv, use_conv_shortcut;
    int pad_mode; /* am_pad_mode */
    double trim_right_ratio;
    int64_t num_lstm_layers; /* of an LSTM between convolutions and frames; 0: there is none */
    bool group_norm;         /* convolutions are normed by it; else their weights may be */
} am_seanet;

/* The fields of the configuration; `absent` has the class's defaults, num_lstm_layers and group_norm are left to the
   caller. */
am_seanet am_seanet_read(const am_config *c, const am_seanet *absent);

typedef struct am_seanet_conv_options {
    int64_t kernel;
    int64_t stride, dilation; /* 0: 1 */
    bool unbiased;
} am_seanet_conv_options;

/* Convolution NAME.conv over x: [B, C, T], padded in the mode pad_mode to whole strides -> [B, out, T / stride]. */
am_value am_seanet_conv(am_builder *b, const char *name, am_value x, int64_t out, const am_seanet_conv_options *conv,
                        int pad_mode, const am_seanet *options);

/* Transposed convolution NAME.conv whose kernel is twice the stride, ends trimmed: x: [B, C, T] -> [B, out, T *
 * stride].
 */
am_value am_seanet_upsample(am_builder *b, const char *name, am_value x, int64_t out, int64_t stride, int64_t groups,
                            int bias, const am_seanet *options);

/* layers.N below the scope: x: [B, audio_channels, T] -> [B, hidden_size, T / hop rounded up]. */
am_value am_seanet_encode(am_builder *b, am_value x, const am_seanet *options);

/* layers.N below the scope: x: [B, hidden_size, T] -> [B, audio_channels, T * hop]. */
am_value am_seanet_decode(am_builder *b, am_value x, const am_seanet *options);

/* The rows of the codebook of the scope: F32 [size, C]. */
enum { AM_BANDWIDTHS_LIMIT = 64 };

/* In kilobits a second; one at least, also of a wrong configuration. */
typedef struct am_bandwidths {
    double items[AM_BANDWIDTHS_LIMIT];
    int count;
} am_bandwidths;

/* target_bandwidths; `absent` are the five that an absent field stands for. */
am_bandwidths am_bandwidths_read(const am_config *c, const double absent[5]);

/* The argument bandwidth, `fallback` without it; fails where it is none of them. */
double am_bandwidth_wanted(am_builder *b, const am_bandwidths *bandwidths, double fallback);

typedef am_value am_codebook(am_builder *b, int64_t size, int64_t C);

/* Rows of `count` codebooks of `size` rows, LIST.0 on below the scope, that stand for x: [B, C, T]: I32 [B, count, T].
 */
am_value am_codebooks_encode(am_builder *b, const char *list, am_value x, int count, int64_t size, am_codebook *table);

/* The sum of the rows codes: I32 [B, N, T] of N such codebooks: [B, C, T]. */
am_value am_codebooks_decode(am_builder *b, const char *list, am_value codes, int64_t size, int64_t C,
                             am_codebook *table);

#endif

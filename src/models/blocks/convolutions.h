/* The parts that convolutional networks are built of: a convolution with its batch norm and activation, inverted
   residuals, squeeze and excitation, widths in multiples. */
#ifndef AM_MODELS_BLOCKS_CONVOLUTIONS_H
#define AM_MODELS_BLOCKS_CONVOLUTIONS_H

#include "models/blocks/layers.h"

typedef struct am_normed_conv_options {
    int64_t out, kernel;
    int64_t stride, dilation, groups; /* 0: 1 */
    am_unary_fn activation;           /* AM_IDENTITY: none */
    double eps;                       /* of the batch norm */
    bool same_padding; /* as TensorFlow pads: as much as the image's size asks for, more of it at the end; else
                          (kernel - 1) / 2 on all sides, times the dilation */
} am_normed_conv_options;

/* activation(NAME.normalization(NAME.convolution(x))), the convolution without bias: x: [B, C, H, W] ->
   [B, out, H / stride, W / stride]. */
am_value am_normed_conv(am_builder *b, const char *name, am_value x, const am_normed_conv_options *options);

/* MobileNetV2's layer: expand_1x1 to `expanded` channels, conv_3x3 over each channel by itself, reduce_1x1 to
   options->out without an activation; x is added where neither the image's size nor the channels change. options says
   the rest: stride and dilation are conv_3x3's. x: [B, C, H, W] -> [B, out, H / stride, W / stride]. */
am_value am_inverted_residual(am_builder *b, am_value x, int64_t expanded, const am_normed_conv_options *options);

/* The convolutions 1 x 1 of a squeeze-and-excitation. */
typedef struct am_squeeze_options {
    const char *reduce, *expand; /* names; both are biased */
    int64_t channels;            /* between them */
    am_unary_fn activation;      /* between them */
} am_squeeze_options;

/* x: [B, C, H, W] times sigmoid(expand(activation(reduce(mean of x over the image)))) of each channel. */
am_value am_squeeze_excite(am_builder *b, am_value x, const am_squeeze_options *options);

/* channels rounded to a multiple of divisor, at least `least`; up where down would take more than a tenth. A result
   beyond 2^31 - 1 is that: callers' shapes are checked. */
int64_t am_round_channels(double channels, int64_t divisor, int64_t least);

/* A factor of widths or depths: above 0 and below 1024, else it fails and gives the fallback. */
double am_config_factor(const am_config *c, const char *key, double fallback);

#endif

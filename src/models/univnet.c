/* UnivNet (arXiv 2106.07889): a vocoder that makes a wave of noise; a spectrogram decides the kernels of its
   convolutions, others for each frame (LVCNet, arXiv 2102.10815). transformers: models/univnet/modeling_univnet.py */
#include "models/blocks/speech.h"

#include <inttypes.h>
#include <stdio.h>

enum { BLOCKS_LIMIT = 16, CHANNELS_LIMIT = 1 << 14 };

typedef struct univnet_config {
    int64_t noise_channels, channels, bins;
    int blocks;
    int64_t kernels[BLOCKS_LIMIT], strides[BLOCKS_LIMIT];
    int dilation_count[BLOCKS_LIMIT];
    int64_t dilations[BLOCKS_LIMIT][BLOCKS_LIMIT];
    int64_t predictor_blocks, predictor_channels, predictor_kernel;
    double slope;
} univnet_config;

static void check_odd(const am_config *c, const char *key, int64_t size)
{
    if (size % 2 == 0) am_config_fail(c, key, "%" PRId64 " is even, which changes lengths", size);
}

static univnet_config read_config(am_builder *b)
{
    static const int64_t kernels[] = {3, 3, 3}, strides[] = {8, 8, 4}, dilations[] = {1, 3, 9, 27};
    const am_config *c = am_model_config(b);
    univnet_config r = {.noise_channels = am_config_size(c, "model_in_channels", 64),
                        .channels = am_config_size(c, "model_hidden_channels", 32),
                        .bins = am_config_size(c, "num_mel_bins", 100),
                        .predictor_blocks = am_config_count(c, "kernel_predictor_num_blocks", 3),
                        .predictor_channels = am_config_size(c, "kernel_predictor_hidden_channels", 64),
                        .predictor_kernel = am_config_size(c, "kernel_predictor_conv_size", 3),
                        .slope = am_config_real(c, "leaky_relu_slope", 0.2)};
    int64_t hop = 1;
    if (r.channels > CHANNELS_LIMIT) {
        am_config_unsupported(c, "model_hidden_channels", "at most %d are supported", CHANNELS_LIMIT);
        r.channels = 1;
    }
    r.blocks = am_config_sizes(c, "resblock_stride_sizes", r.strides, BLOCKS_LIMIT, strides, 3);
    if (am_config_sizes(c, "resblock_kernel_sizes", r.kernels, BLOCKS_LIMIT, kernels, 3) != r.blocks)
        am_config_fail(c, "resblock_kernel_sizes", "expected %d sizes (resblock_stride_sizes)", r.blocks);
    for (int i = 0; i < r.blocks; i++) {
        const char *key = "resblock_dilation_sizes";
        r.dilation_count[i] = am_config_inner_sizes(c, key, i, r.dilations[i], BLOCKS_LIMIT, dilations, 4);
        if (r.dilation_count[i] == 0) am_config_fail(c, key, "no list %d", i);
        for (int j = 0; j < r.dilation_count[i]; j++)
            if (r.dilations[i][j] < 1) am_config_fail(c, key, "a dilation of list %d is 0", i);
        if (r.strides[i] < 1 || hop > INT32_MAX / r.strides[i]) {
            am_config_fail(c, "resblock_stride_sizes", "element %d is %" PRId64, i, r.strides[i]);
            r.strides[i] = 1;
        }
        hop *= r.strides[i];
        check_odd(c, "resblock_kernel_sizes", r.kernels[i]);
    }
    check_odd(c, "kernel_predictor_conv_size", r.predictor_kernel);
    if (r.predictor_channels != r.noise_channels && r.predictor_blocks > 0)
        am_config_fail(c, "kernel_predictor_hidden_channels", "expected model_in_channels, %" PRId64 ", found %" PRId64,
                       r.noise_channels, r.predictor_channels);
    return r;
}

/* Convolution NAME that keeps the length of x: [B, C, T] -> [B, out, T]. */
static am_value same_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation)
{
    am_shape padding = am_shape_of((kernel - 1) * dilation / 2);
    return am_normed_convolution(b, name, x, out, kernel, AM_BIAS,
                                 &(am_convolution_attributes){.dilation = am_shape_of(dilation),
                                                              .padding_before = padding,
                                                              .padding_after = padding});
}

/* The same of 7 taps, ends reflected. */
static am_value reflected_conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    x = am_pad(
        b, x,
        &(am_pad_attributes){.before = am_shape_of(0, 0, 3), .after = am_shape_of(0, 0, 3), .mode = AM_PAD_REFLECT});
    return am_normed_convolution(b, name, x, out, 7, AM_BIAS, &(am_convolution_attributes){0});
}

/* --- kernels of each frame --- */

/* What kernels and biases are made of: spectrogram: [B, bins, T] -> [B, predictor_channels, T]. */
static am_value predictor_states(am_builder *b, am_value x, const univnet_config *c)
{
    x = am_leaky_relu(b, same_conv(b, "input_conv", x, c->predictor_channels, 5, 1), c->slope);
    for (int i = 0; i < c->predictor_blocks && !am_builder_failed(b); i++) {
        am_value h = x;
        am_scope(b, "resblocks.%d", i);
        h = am_leaky_relu(b, same_conv(b, "conv1", h, c->predictor_channels, c->predictor_kernel, 1), c->slope);
        h = am_leaky_relu(b, same_conv(b, "conv2", h, c->predictor_channels, c->predictor_kernel, 1), c->slope);
        x = am_add(b, x, h);
        am_end_scope(b);
    }
    return x;
}

/* x: [B, C, T * hop], each frame of `hop` by its own kernels: [B, C, out, kernel, T], bias: [B, out, T] -> [B, out, T *
   hop]. */
static am_value convolved_by_frame(am_builder *b, am_value x, am_value kernels, am_value bias, int64_t hop)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), out = am_dim(b, kernels, 2), kernel = am_dim(b, kernels, 3);
    int64_t T = am_dim(b, kernels, 4);
    am_shape padding = am_shape_of((kernel - 1) / 2);
    x = am_unfold(
        b, x,
        &(am_unfold_attributes){.kernel = am_shape_of(kernel), .padding_before = padding, .padding_after = padding});
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C * kernel, T, hop)), am_shape_of(0, 2, 1, 3));
    kernels = am_reshape(b, am_permute(b, kernels, am_shape_of(0, 4, 2, 1, 3)), am_shape_of(B, T, out, C * kernel));
    x = am_matmul(b, kernels, x, false, false); /* [B, T, out, hop] */
    x = am_add(b, x, am_unsqueeze(b, am_transpose(b, bias, 1, 2), -1));
    return am_reshape(b, am_permute(b, x, am_shape_of(0, 2, 1, 3)), am_shape_of(B, out, T * hop));
}

/* --- the wave --- */

/* x: [B, C, T * hop]; kernels and bias are those of layer `layer`. */
static am_value gated_layer(am_builder *b, am_value x, am_value kernels, am_value bias, int block, int layer,
                            int64_t hop, const univnet_config *c)
{
    char name[32];
    int64_t C = c->channels;
    snprintf(name, sizeof name, "resblocks.%d.conv", layer);
    am_value h = same_conv(b, name, am_leaky_relu(b, x, c->slope), C, c->kernels[block], c->dilations[block][layer]);
    h = convolved_by_frame(b, am_leaky_relu(b, h, c->slope), am_index(b, kernels, 1, layer),
                           am_index(b, bias, 1, layer), hop);
    return am_add(
        b, x,
        am_gated_activation(b, AM_SIGMOID, am_slice(b, h, 1, 0, C), am_unary(b, AM_TANH, am_slice(b, h, 1, C, 2 * C))));
}

/* x: [B, C, L] -> [B, C, L * stride]; spectrogram: [B, bins, T] */
static am_value wave_block(am_builder *b, am_value x, am_value spectrogram, int i, int64_t hop, const univnet_config *c)
{
    int64_t B = am_dim(b, spectrogram, 0), T = am_dim(b, spectrogram, 2), C = c->channels, stride = c->strides[i];
    int layers = c->dilation_count[i];
    am_shape padding = am_shape_of(stride / 2 + stride % 2);
    am_scope(b, "resblocks.%d", i);
    x = am_normed_conv_transpose(b, "convt_pre", am_leaky_relu(b, x, c->slope), C, 2 * stride, AM_BIAS,
                                 &(am_convolution_attributes){.stride = am_shape_of(stride),
                                                              .padding_before = padding,
                                                              .padding_after = padding,
                                                              .output_padding = am_shape_of(stride % 2)});
    am_scope(b, "kernel_predictor");
    am_value h = predictor_states(b, spectrogram, c);
    int64_t numbers = C * 2 * C * c->kernels[i] * layers;
    am_value kernels = same_conv(b, "kernel_conv", h, numbers, c->predictor_kernel, 1),
             bias = same_conv(b, "bias_conv", h, 2 * C * layers, c->predictor_kernel, 1);
    am_end_scope(b);
    kernels = am_reshape(b, kernels, am_shape_of(B, layers, C, 2 * C, c->kernels[i], T));
    bias = am_reshape(b, bias, am_shape_of(B, layers, 2 * C, T));
    for (int j = 0; j < layers && !am_builder_failed(b); j++) x = gated_layer(b, x, kernels, bias, i, j, hop, c);
    am_end_scope(b);
    return x;
}

/* x: [B, T, C], or [T, C] as one row. */
static am_value as_batch(am_builder *b, am_value x)
{
    return am_rank(b, x) == 2 ? am_unsqueeze(b, x, 0) : x;
}

static void univnet_model(am_builder *b)
{
    univnet_config c = read_config(b);
    am_value spectrogram = as_batch(b, am_input(b, "input_features", -1)),
             x = as_batch(b, am_input_optional(b, "noise_sequence", -1));
    am_value mask = am_input_optional(b, "padding_mask", -1);
    if (!x.id)
        x = am_random(b, am_shape_of(am_dim(b, spectrogram, 0), am_dim(b, spectrogram, 1), c.noise_channels), 0, true);
    spectrogram = am_transpose(b, spectrogram, 1, 2);
    x = reflected_conv(b, "conv_pre", am_transpose(b, x, 1, 2), c.channels);
    for (int64_t i = 0, hop = 1; i < c.blocks && !am_builder_failed(b); i++) {
        hop *= c.strides[i];
        x = wave_block(b, x, spectrogram, (int)i, hop, &c);
    }
    x = reflected_conv(b, "conv_post", am_leaky_relu(b, x, c.slope), 1);
    am_output(b, "waveforms", am_squeeze(b, am_unary(b, AM_TANH, x), 1));
    if (!mask.id) return;
    if (am_rank(b, mask) == 1) mask = am_unsqueeze(b, mask, 0);
    am_output(b, "waveform_lengths", am_reduce(b, AM_REDUCE_SUM, am_cast(b, mask, AM_I32), am_shape_of(1), false));
}

static const am_architecture architectures[] = {
    {"UnivNetModel", univnet_model, NULL, 0},
    {0},
};

const am_model_type am_model_univnet = {.name = "univnet", .architectures = architectures};

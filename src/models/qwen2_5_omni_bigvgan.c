/* The vocoder of Qwen2.5-Omni (BigVGAN, arXiv 2206.04658): a log-mel spectrogram becomes a wave by transposed
   convolutions, each followed by residual ones of several widths, whose mean goes on; activations are free of aliasing.
   transformers: models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#include "models/blocks/alias_free.h"
#include "models/blocks/layers.h"

#include <math.h>
#include <stdio.h>

enum { LIST_LIMIT = 16, DILATIONS = 3 };

typedef struct bigvgan_config {
    int64_t mel_dim, width;
    int upsamples, kernels;
    int64_t rates[LIST_LIMIT], rate_kernels[LIST_LIMIT], block_kernels[LIST_LIMIT];
    int64_t dilations[LIST_LIMIT][LIST_LIMIT];
} bigvgan_config;

static void read_blocks(const am_config *c, bigvgan_config *r)
{
    static const int64_t kernels[] = {3, 7, 11}, dilations[] = {1, 3, 5};
    r->kernels = am_config_sizes(c, "resblock_kernel_sizes", r->block_kernels, LIST_LIMIT, kernels, 3);
    if (r->kernels == 0) am_config_fail(c, "resblock_kernel_sizes", "expected a list of sizes");
    for (int i = 0; i < r->kernels; i++) {
        if (r->block_kernels[i] < 1) {
            am_config_fail(c, "resblock_kernel_sizes", "element %d is 0", i);
            r->block_kernels[i] = 1;
        }
        int count =
            am_config_inner_sizes(c, "resblock_dilation_sizes", i, r->dilations[i], LIST_LIMIT, dilations, DILATIONS);
        if (count < DILATIONS) am_config_fail(c, "resblock_dilation_sizes", "element %d has less than 3", i);
        for (int k = 0; k < count; k++)
            if (r->dilations[i][k] < 1 || r->dilations[i][k] > INT32_MAX / 4 / r->block_kernels[i])
                am_config_fail(c, "resblock_dilation_sizes", "element %d is too much", i);
    }
}

static bigvgan_config read_config(am_builder *b)
{
    static const int64_t rates[] = {5, 3, 2, 2, 2, 2}, kernels[] = {11, 7, 4, 4, 4, 4};
    const am_config *c = am_model_config(b);
    bigvgan_config r = {.mel_dim = am_config_size(c, "mel_dim", 80),
                        .width = am_config_size(c, "upsample_initial_channel", 1536)};
    r.upsamples = am_config_sizes(c, "upsample_rates", r.rates, LIST_LIMIT, rates, 6);
    int count = am_config_sizes(c, "upsample_kernel_sizes", r.rate_kernels, LIST_LIMIT, kernels, 6);
    if (count != r.upsamples || count == 0)
        am_config_fail(c, "upsample_kernel_sizes", "as many as upsample_rates are expected");
    for (int i = 0; i < r.upsamples && i < count; i++)
        if (r.rates[i] < 1 || r.rate_kernels[i] < r.rates[i])
            am_config_fail(c, "upsample_kernel_sizes", "element %d is less than the rate", i);
    if (r.width >> r.upsamples < 1)
        am_config_fail(c, "upsample_initial_channel", "too little, halved by each of upsample_rates");
    read_blocks(c, &r);
    return r;
}

/* exp(x) in decibels, brought from -115 .. 0 to -1 .. 1. */
static am_value normalized(am_builder *b, am_value x)
{
    const double least = -115, reference = 20;
    x = am_binary_number(b, AM_MAX, am_unary(b, AM_EXP, x), exp(least / 20 * log(10)));
    x = am_add_number(b, am_mul_number(b, am_unary(b, AM_LOG, x), 20 / log(10)), -reference);
    x = am_add_number(b, am_mul_number(b, am_add_number(b, x, -least), 2 / -least), -1);
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, -1), 1);
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation,
                     int bias)
{
    am_shape padding = am_shape_of((kernel - 1) * dilation / 2);
    return am_conv(b, name, x, out, am_shape_of(kernel), bias,
                   &(am_convolution_attributes){
                       .dilation = am_shape_of(dilation), .padding_before = padding, .padding_after = padding});
}

/* resblocks.<index>: x: [B, C, T] */
static am_value residual_block(am_builder *b, am_value x, int index, int kind, const bigvgan_config *c)
{
    int64_t C = am_dim(b, x, 1), kernel = c->block_kernels[kind];
    am_scope(b, "resblocks.%d", index);
    for (int i = 0; i < DILATIONS; i++) {
        char first[32], second[32], inner[32], outer[32];
        snprintf(first, sizeof first, "activations.%d", 2 * i);
        snprintf(second, sizeof second, "activations.%d", 2 * i + 1);
        snprintf(inner, sizeof inner, "convs1.%d", i);
        snprintf(outer, sizeof outer, "convs2.%d", i);
        am_value h = conv(b, inner, am_alias_free_snake(b, first, x), C, kernel, c->dilations[kind][i], AM_BIAS);
        x = am_add(b, x, conv(b, outer, am_alias_free_snake(b, second, h), C, kernel, 1, AM_BIAS));
    }
    am_end_scope(b);
    return x;
}

/* ups.<i>.0: x: [B, C, T] -> [B, C / 2, T'] */
static am_value upsampled(am_builder *b, am_value x, int i, const bigvgan_config *c)
{
    int64_t out = c->width >> (i + 1), kernel = c->rate_kernels[i];
    am_shape padding = am_shape_of((kernel - c->rates[i]) / 2);
    am_scope(b, "ups.%d.0", i);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, kernel));
    x = am_conv_transpose(b, x, weight, am_weight(b, "bias", am_shape_of(out)),
                          &(am_convolution_attributes){
                              .stride = am_shape_of(c->rates[i]), .padding_before = padding, .padding_after = padding});
    am_end_scope(b);
    return x;
}

/* Without dimensions of 1. */
static am_value squeezed(am_builder *b, am_value x)
{
    for (int i = am_rank(b, x) - 1; i >= 0; i--)
        if (am_dim(b, x, i) == 1) x = am_squeeze(b, x, i);
    return x;
}

static void bigvgan_model(am_builder *b)
{
    bigvgan_config c = read_config(b);
    am_value x = conv(b, "conv_pre", normalized(b, am_input(b, "mel_spectrogram", 3)), c.width, 7, 1, AM_BIAS);
    for (int i = 0; i < c.upsamples && !am_builder_failed(b); i++) {
        x = upsampled(b, x, i, &c);
        am_value sum = AM_NONE;
        for (int k = 0; k < c.kernels; k++) {
            am_value h = residual_block(b, x, i * c.kernels + k, k, &c);
            sum = k ? am_add(b, sum, h) : h;
        }
        x = am_mul_number(b, sum, 1.0 / c.kernels);
    }
    x = conv(b, "conv_post", am_alias_free_snake(b, "activation_post", x), 1, 7, 1, AM_NO_BIAS);
    x = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, -1), 1);
    am_output(b, "output", squeezed(b, x));
}

static const am_architecture architectures[] = {
    {"Qwen2_5OmniToken2WavBigVGANModel", bigvgan_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen2_5_omni_bigvgan = {
    .name = "qwen2_5_omni_bigvgan", .base_prefix = "model", .architectures = architectures};

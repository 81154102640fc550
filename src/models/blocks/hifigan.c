#include "models/blocks/hifigan.h"

#include "models/blocks/vision.h"

#include <stdio.h>

static const double LAST_SLOPE = 0.01; /* not configurable */

static void check(const am_config *c, const am_hifigan *r, int kernel_sizes)
{
    if (r->upsamples < 1 || kernel_sizes != r->upsamples)
        am_config_fail(c, "upsample_kernel_sizes", "%d sizes, expected %d (upsample_rates), 1 or more", kernel_sizes,
                       r->upsamples);
    for (int i = 0; i < r->upsamples; i++)
        if (r->upsample_rates[i] < 1 || r->upsample_kernel_sizes[i] < r->upsample_rates[i])
            am_config_fail(c, "upsample_kernel_sizes", "element %d is less than that of upsample_rates, or 0", i);
    if (r->upsample_initial_channel >> r->upsamples < 1)
        am_config_fail(c, "upsample_initial_channel", "too little, halved by each of upsample_rates");
    if (r->kernels < 1) am_config_fail(c, "resblock_kernel_sizes", "expected 1 or more");
    for (int i = 0; i < r->kernels; i++)
        if (r->resblock_kernel_sizes[i] % 2 == 0)
            am_config_fail(c, "resblock_kernel_sizes", "element %d is even, which changes lengths", i);
}

am_hifigan am_hifigan_read(const am_config *c, const int64_t *rates, const int64_t *kernels, int count)
{
    static const int64_t widths[] = {3, 7, 11}, dilations[] = {1, 3, 5};
    am_hifigan r = {.upsample_initial_channel = am_config_size(c, "upsample_initial_channel", 512),
                    .leaky_relu_slope = am_config_real(c, "leaky_relu_slope", 0.1),
                    .hop = 1};
    r.upsamples = am_config_sizes(c, "upsample_rates", r.upsample_rates, AM_HIFIGAN_LIMIT, rates, count);
    int kernel_sizes =
        am_config_sizes(c, "upsample_kernel_sizes", r.upsample_kernel_sizes, AM_HIFIGAN_LIMIT, kernels, count);
    r.kernels = am_config_sizes(c, "resblock_kernel_sizes", r.resblock_kernel_sizes, AM_HIFIGAN_LIMIT, widths, 3);
    for (int i = 0; i < r.kernels; i++) {
        r.dilations[i] = am_config_inner_sizes(c, "resblock_dilation_sizes", i, r.resblock_dilation_sizes[i],
                                               AM_HIFIGAN_LIMIT, dilations, 3);
        for (int j = 0; j < r.dilations[i]; j++)
            if (r.resblock_dilation_sizes[i][j] < 1)
                am_config_fail(c, "resblock_dilation_sizes", "a dilation of list %d is 0", i);
        if (r.dilations[i] == 0) am_config_fail(c, "resblock_dilation_sizes", "no list %d", i);
    }
    check(c, &r, kernel_sizes);
    for (int i = 0; i < r.upsamples && r.hop < INT32_MAX; i++) r.hop *= r.upsample_rates[i];
    return r;
}

/* Convolution LIST.index that keeps the length of x: [B, C, T]. */
static am_value same_conv(am_builder *b, const char *list, int index, am_value x, int64_t kernel, int64_t dilation)
{
    char name[32];
    am_shape padding = am_shape_of((kernel - 1) * dilation / 2);
    snprintf(name, sizeof name, "%s.%d", list, index);
    return am_normed_convolution(b, name, x, am_dim(b, x, 1), kernel, AM_BIAS,
                                 &(am_convolution_attributes){.dilation = am_shape_of(dilation),
                                                              .padding_before = padding,
                                                              .padding_after = padding});
}

/* resblocks.<index> over x: [B, C, T], of kernel j. */
static am_value residual_block(am_builder *b, int index, am_value x, int j, const am_hifigan *o)
{
    am_scope(b, "resblocks.%d", index);
    for (int i = 0; i < o->dilations[j] && !am_builder_failed(b); i++) {
        am_value h = am_leaky_relu(b, x, o->leaky_relu_slope);
        h = same_conv(b, "convs1", i, h, o->resblock_kernel_sizes[j], o->resblock_dilation_sizes[j][i]);
        h = am_leaky_relu(b, h, o->leaky_relu_slope);
        x = am_add(b, x, same_conv(b, "convs2", i, h, o->resblock_kernel_sizes[j], 1));
    }
    am_end_scope(b);
    return x;
}

static am_value upsampled(am_builder *b, am_value x, int i, const am_hifigan *o)
{
    char name[32];
    int64_t rate = o->upsample_rates[i], kernel = o->upsample_kernel_sizes[i];
    am_shape padding = am_shape_of((kernel - rate) / 2);
    snprintf(name, sizeof name, "upsampler.%d", i);
    x = am_normed_conv_transpose(
        b, name, am_leaky_relu(b, x, o->leaky_relu_slope), o->upsample_initial_channel >> (i + 1), kernel, AM_BIAS,
        &(am_convolution_attributes){.stride = am_shape_of(rate), .padding_before = padding, .padding_after = padding});
    am_value sum = AM_NONE;
    for (int j = 0; j < o->kernels && !am_builder_failed(b); j++) {
        am_value h = residual_block(b, i * o->kernels + j, x, j, o);
        sum = j ? am_add(b, sum, h) : h;
    }
    return am_mul_number(b, sum, 1.0 / o->kernels);
}

am_value am_hifigan_wave(am_builder *b, am_value x, am_value condition, const am_hifigan *o)
{
    am_convolution_attributes seven = {.padding_before = am_shape_of(3), .padding_after = am_shape_of(3)};
    x = am_normed_convolution(b, "conv_pre", x, o->upsample_initial_channel, 7, AM_BIAS, &seven);
    if (condition.id) x = am_add(b, x, condition);
    for (int i = 0; i < o->upsamples && !am_builder_failed(b); i++) x = upsampled(b, x, i, o);
    x = am_leaky_relu(b, x, LAST_SLOPE);
    x = am_normed_convolution(b, "conv_post", x, 1, 7, o->unbiased_post ? AM_NO_BIAS : AM_BIAS, &seven);
    return am_squeeze(b, am_unary(b, AM_TANH, x), 1);
}

am_value am_hifigan_vocoder(am_builder *b, const am_config *c, am_value x, const int64_t *rates, const int64_t *kernels)
{
    am_hifigan o = am_hifigan_read(c, rates, kernels, 4);
    am_shape bins = am_shape_of(am_config_size(c, "model_in_dim", 80));
    bool is_one = am_rank(b, x) == 2;
    if (am_config_flag(c, "normalize_before", true)) {
        x = am_sub(b, x, am_parameter(b, "mean", bins, x));
        x = am_div(b, x, am_parameter(b, "scale", bins, x));
    }
    if (is_one) x = am_unsqueeze(b, x, 0);
    x = am_hifigan_wave(b, am_transpose(b, x, 1, 2), AM_NONE, &o);
    return is_one ? am_squeeze(b, x, 0) : x;
}

#include "models/blocks/dac.h"

#include "models/blocks/vision.h"

static void check(const am_config *c, am_dac *r)
{
    if (r->down_count == 0) am_config_fail(c, "downsampling_ratios", "expected a list of sizes");
    if (r->up_count == 0) am_config_fail(c, "upsampling_ratios", "expected a list of sizes");
    for (int i = 0; i < r->up_count; i++)
        if (r->upsampling_ratios[i] < 1) am_config_fail(c, "upsampling_ratios", "element %d is 0", i);
    if (r->encoder_hidden_size > INT32_MAX >> r->down_count)
        am_config_fail(c, "encoder_hidden_size", "too much, doubled by each of downsampling_ratios");
    if (r->decoder_hidden_size >> r->up_count < 1)
        am_config_fail(c, "decoder_hidden_size", "too little, halved by each of upsampling_ratios");
}

/* The product of downsampling_ratios. */
static int64_t hop_of(const am_config *c, am_dac *r)
{
    int64_t hop = 1;
    for (int i = 0; i < r->down_count; i++) {
        if (r->downsampling_ratios[i] < 1 || hop > INT32_MAX / (2 * r->downsampling_ratios[i])) {
            am_config_fail(c, "downsampling_ratios", "element %d is 0 or too much", i);
            r->downsampling_ratios[i] = 1;
        }
        hop *= r->downsampling_ratios[i];
    }
    return hop;
}

am_dac am_dac_read(const am_config *c, const am_dac *a)
{
    static const am_dac own = {
        .encoder_hidden_size = 64, .decoder_hidden_size = 1536, .down_count = 4, .downsampling_ratios = {2, 4, 8, 8}};
    if (!a) a = &own;
    am_dac r = {.encoder_hidden_size = am_config_size(c, "encoder_hidden_size", a->encoder_hidden_size),
                .decoder_hidden_size = am_config_size(c, "decoder_hidden_size", a->decoder_hidden_size)};
    int64_t backwards[AM_DAC_RATIOS_LIMIT];
    r.down_count = am_config_sizes(c, "downsampling_ratios", r.downsampling_ratios, AM_DAC_RATIOS_LIMIT,
                                   a->downsampling_ratios, a->down_count);
    for (int i = 0; i < r.down_count; i++) backwards[i] = r.downsampling_ratios[r.down_count - 1 - i];
    r.up_count =
        am_config_sizes(c, "upsampling_ratios", r.upsampling_ratios, AM_DAC_RATIOS_LIMIT,
                        a->up_count ? a->upsampling_ratios : backwards, a->up_count ? a->up_count : r.down_count);
    check(c, &r);
    r.hop_length = am_config_size(c, "hop_length", hop_of(c, &r));
    r.hidden_size =
        am_config_size(c, "hidden_size", a->hidden_size ? a->hidden_size : r.encoder_hidden_size << r.down_count);
    return r;
}

am_value am_snake(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    am_value alpha = am_parameter(b, "alpha", am_shape_of(1, am_dim(b, x, 1), 1), x);
    am_end_scope(b);
    am_value wave = am_unary(b, AM_SQUARE, am_unary(b, AM_SIN, am_mul(b, alpha, x)));
    return am_add(b, x, am_mul(b, am_unary(b, AM_RECIPROCAL, am_add_number(b, alpha, 1e-9)), wave));
}

static am_value snake(am_builder *b, const char *name, am_value x, const am_dac *c)
{
    return c->snake ? c->snake(b, name, x) : am_snake(b, name, x);
}

/* Convolution NAME with a bias, `padding` zeros on both sides. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                     am_convolution_attributes options, int64_t padding)
{
    options.padding_before = options.padding_after = am_shape_of(padding);
    return am_normed_convolution(b, name, x, out, kernel, AM_BIAS, &options);
}

/* res_unit1 to 3 below the scope, ever further apart: x: [B, C, T]. */
static am_value residual_units(am_builder *b, am_value x, const am_dac *c)
{
    static const int64_t dilations[] = {1, 3, 9};
    int64_t C = am_dim(b, x, 1);
    for (int i = 0; i < 3; i++) {
        am_convolution_attributes options = {.dilation = am_shape_of(dilations[i])};
        am_scope(b, "res_unit%d", i + 1);
        am_value h = conv(b, "conv1", snake(b, "snake1", x, c), C, 7, options, 3 * dilations[i]);
        h = conv(b, "conv2", snake(b, "snake2", h, c), C, 1, (am_convolution_attributes){0}, 0);
        x = am_add(b, x, h);
        am_end_scope(b);
    }
    return x;
}

am_value am_dac_encode(am_builder *b, am_value x, const am_dac *c)
{
    am_convolution_attributes plain = {0};
    x = conv(b, "conv1", x, c->encoder_hidden_size, 7, plain, 3);
    for (int i = 0; i < c->down_count && !am_builder_failed(b); i++) {
        int64_t stride = c->downsampling_ratios[i];
        am_scope(b, "block.%d", i);
        x = snake(b, "snake1", residual_units(b, x, c), c);
        x = conv(b, "conv1", x, 2 * am_dim(b, x, 1), 2 * stride,
                 (am_convolution_attributes){.stride = am_shape_of(stride)}, (stride + 1) / 2);
        am_end_scope(b);
    }
    return conv(b, "conv2", snake(b, "snake1", x, c), c->hidden_size, 3, plain, 1);
}

int64_t am_dac_frames(const am_dac *c, int64_t L)
{
    for (int i = 0; i < c->down_count; i++) {
        int64_t stride = c->downsampling_ratios[i], left = L + 2 * ((stride + 1) / 2) - 2 * stride;
        L = left < 0 ? 0 : left / stride + 1;
    }
    return L;
}

am_value am_dac_decode(am_builder *b, am_value x, const am_dac *c)
{
    am_convolution_attributes plain = {0};
    x = conv(b, "conv1", x, c->decoder_hidden_size, 7, plain, 3);
    for (int i = 0; i < c->up_count && !am_builder_failed(b); i++) {
        int64_t stride = c->upsampling_ratios[i];
        am_shape padding = am_shape_of((stride + 1) / 2);
        am_scope(b, "block.%d", i);
        x = am_normed_conv_transpose(
            b, "conv_t1", snake(b, "snake1", x, c), c->decoder_hidden_size >> (i + 1), 2 * stride, AM_BIAS,
            &(am_convolution_attributes){.stride = am_shape_of(stride),
                                         .padding_before = padding,
                                         .padding_after = padding,
                                         .output_padding = am_shape_of(c->odd_strides_keep ? stride % 2 : 0)});
        x = residual_units(b, x, c);
        am_end_scope(b);
    }
    return conv(b, "conv2", snake(b, "snake1", x, c), 1, 7, plain, 3);
}

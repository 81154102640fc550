#include "models/blocks/convolutions.h"

#include "models/blocks/vision.h"

static int64_t or_one(int64_t number)
{
    return number ? number : 1;
}

/* Before and after `size` elements. TensorFlow counts as though the kernel had no gaps, and then spreads the padding,
   too. */
static void padding_of(const am_normed_conv_options *o, int64_t size, int64_t *before, int64_t *after)
{
    int64_t stride = or_one(o->stride), rest = size % stride, all = o->kernel - (rest ? rest : stride);
    if (all < 0) all = 0;
    *before = (o->same_padding ? all / 2 : (o->kernel - 1) / 2) * or_one(o->dilation);
    *after = (o->same_padding ? all - all / 2 : (o->kernel - 1) / 2) * or_one(o->dilation);
}

am_value am_normed_conv(am_builder *b, const char *name, am_value x, const am_normed_conv_options *o)
{
    int64_t stride = or_one(o->stride), dilation = or_one(o->dilation), before[2], after[2];
    for (int i = 0; i < 2; i++) padding_of(o, am_dim(b, x, 2 + i), &before[i], &after[i]);
    am_convolution_attributes options = {.stride = am_shape_of(stride, stride),
                                         .dilation = am_shape_of(dilation, dilation),
                                         .padding_before = am_shape_of(before[0], before[1]),
                                         .padding_after = am_shape_of(after[0], after[1]),
                                         .groups = o->groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, o->out, am_shape_of(o->kernel, o->kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "normalization", x, o->eps);
    am_end_scope(b);
    return o->activation == AM_IDENTITY ? x : am_unary(b, o->activation, x);
}

am_value am_inverted_residual(am_builder *b, am_value x, int64_t expanded, const am_normed_conv_options *o)
{
    am_normed_conv_options expand = *o, depthwise = *o, reduce = *o;
    expand.kernel = reduce.kernel = expand.stride = reduce.stride = expand.dilation = reduce.dilation = 1;
    depthwise.kernel = 3;
    expand.out = depthwise.out = depthwise.groups = expanded;
    reduce.activation = AM_IDENTITY;
    am_value h = am_normed_conv(b, "expand_1x1", x, &expand);
    h = am_normed_conv(b, "conv_3x3", h, &depthwise);
    h = am_normed_conv(b, "reduce_1x1", h, &reduce);
    return or_one(o->stride) == 1 && am_dim(b, x, 1) == o->out ? am_add(b, x, h) : h;
}

am_value am_squeeze_excite(am_builder *b, am_value x, const am_squeeze_options *o)
{
    am_convolution_attributes options = {0};
    int64_t C = am_dim(b, x, 1);
    am_value h = am_image_mean(b, x, true);
    h = am_unary(b, o->activation, am_conv(b, o->reduce, h, o->channels, am_shape_of(1, 1), AM_BIAS, &options));
    h = am_conv(b, o->expand, h, C, am_shape_of(1, 1), AM_BIAS, &options);
    return am_mul(b, x, am_unary(b, AM_SIGMOID, h));
}

int64_t am_round_channels(double channels, int64_t divisor, int64_t least)
{
    if (!(channels < INT32_MAX) || divisor < 1) return INT32_MAX;
    int64_t rounded = (int64_t)(channels + (double)divisor / 2) / divisor * divisor;
    if (rounded < least) rounded = least;
    return (double)rounded < 0.9 * channels ? rounded + divisor : rounded;
}

double am_config_factor(const am_config *c, const char *key, double fallback)
{
    double number = am_config_real(c, key, fallback);
    if (number > 0 && number < 1024) return number;
    am_config_fail(c, key, "expected a number above 0 and below 1024, found %g", number);
    return fallback;
}

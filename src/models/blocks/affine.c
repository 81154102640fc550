#include "models/blocks/affine.h"

#include "models/blocks/vision.h"

static const double NORM_EPS = 1e-5;

am_value am_affine(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = am_mul(b, x, am_parameter(b, "scale", am_shape_of(1), x));
    x = am_add(b, x, am_parameter(b, "bias", am_shape_of(1), x));
    am_end_scope(b);
    return x;
}

am_value am_affine_conv(am_builder *b, const char *name, am_value x, const am_affine_conv_options *o)
{
    int64_t padding = (o->kernel - 1) / 2;
    am_convolution_attributes options = {.stride = am_shape_of(o->stride[0], o->stride[1]),
                                         .padding_before = am_shape_of(padding, padding),
                                         .padding_after = am_shape_of(padding, padding),
                                         .groups = o->groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, o->out, am_shape_of(o->kernel, o->kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "normalization", x, NORM_EPS);
    if (o->activation) x = am_unary(b, o->activation, x);
    if (o->activation && o->affine) x = am_affine(b, "lab", x);
    am_end_scope(b);
    return x;
}

am_affine_stem am_affine_stem_read(const am_config *c, const am_affine_stem *fallback)
{
    am_affine_stem s = *fallback;
    int64_t strides[AM_STAGES_LIMIT], channels[AM_STAGES_LIMIT];
    am_stage_sizes(c, "stem_channels", 3, 1, fallback->channels, 3, channels);
    am_stage_sizes(c, "stem_strides", 5, 1, fallback->strides, 5, strides);
    for (int i = 0; i < 3; i++) s.channels[i] = channels[i];
    for (int i = 0; i < 5; i++) s.strides[i] = strides[i];
    s.activation = am_config_activation(c, "hidden_act", fallback->activation);
    s.affine = am_config_flag(c, "use_learnable_affine_block", false);
    if (am_config_size(c, "num_channels", 3) != s.channels[0])
        am_config_fail(c, "stem_channels", "expected num_channels first");
    if (s.channels[1] < 2) am_config_fail(c, "stem_channels", "half of element 1 is nothing");
    return s;
}

static am_value stem_conv(am_builder *b, const char *name, am_value x, const am_affine_stem *s, int64_t out,
                          int64_t kernel, int64_t stride)
{
    am_affine_conv_options options = {
        .out = out, .kernel = kernel, .stride = {stride, stride}, .activation = s->activation, .affine = s->affine};
    return am_affine_conv(b, name, x, &options);
}

static am_value pad_end(am_builder *b, am_value x)
{
    return am_pad_zero(b, am_pad_zero(b, x, 2, 0, 1), 3, 0, 1);
}

am_value am_affine_embed(am_builder *b, am_value x, const am_affine_stem *s)
{
    int64_t C = s->channels[1];
    am_pool_attributes pool = {.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2), .stride = am_shape_of(1, 1)};
    x = pad_end(b, stem_conv(b, "stem1", x, s, C, 3, s->strides[0]));
    am_value h = pad_end(b, stem_conv(b, "stem2a", x, s, C / 2, 2, s->strides[1]));
    h = stem_conv(b, "stem2b", h, s, C, 2, s->strides[2]);
    x = am_concat2(b, am_pool(b, x, &pool), h, 1);
    x = stem_conv(b, "stem3", x, s, C, 3, s->strides[3]);
    return stem_conv(b, "stem4", x, s, s->channels[2], 1, s->strides[4]);
}

am_value am_affine_squeeze(am_builder *b, const char *name, am_value x, int64_t reduction)
{
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes plain = {0};
    am_scope(b, "%s", name);
    am_value h =
        am_conv(b, "convolutions.0", am_image_mean(b, x, true), C / reduction, am_shape_of(1, 1), AM_BIAS, &plain);
    h = am_conv(b, "convolutions.2", am_unary(b, AM_RELU, h), C, am_shape_of(1, 1), AM_BIAS, &plain);
    am_end_scope(b);
    return am_mul(b, x, am_unary(b, AM_HARD_SIGMOID, h));
}

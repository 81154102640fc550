/* PP-LCNet V4: layers mix places by one convolution of each channel, then channels by an mlp that is added.
   transformers: models/pp_lcnet_v4/modeling_pp_lcnet_v4.py */
#include "models/blocks/lcnet.h"

static const am_affine_stem default_stem = {{3, 48, 96}, {2, 1, 1, 2, 1}, AM_RELU, false};

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride)
{
    am_affine_conv_options options = {.out = out, .kernel = kernel, .stride = {stride, stride}};
    return am_affine_conv(b, name, x, &options);
}

static am_value embed(am_builder *b, am_value x, const am_lcnet *net)
{
    am_scope(b, "convolution");
    if (net->is_large) x = am_affine_embed(b, x, &net->stem);
    else {
        x = am_unary(b, AM_GELU, conv(b, "conv1", x, net->stem.channels[1], 3, 2));
        x = conv(b, "conv2", x, net->stem.channels[2], 3, 2);
    }
    am_end_scope(b);
    return x;
}

static am_value mix_places(am_builder *b, am_value x, const am_lcnet_layer *l, bool stays)
{
    int64_t padding = l->kernel / 2;
    am_convolution_attributes plain = {.padding_before = am_shape_of(padding, padding),
                                       .padding_after = am_shape_of(padding, padding),
                                       .groups = l->in};
    am_affine_conv_options normed = {
        .out = l->in, .kernel = l->kernel, .stride = {l->stride[0], l->stride[1]}, .groups = l->in};
    return stays ? am_conv(b, "token_conv", x, l->out, am_shape_of(l->kernel, l->kernel), AM_BIAS, &plain)
                 : am_affine_conv(b, "token_conv", x, &normed);
}

static am_value layer(am_builder *b, am_value x, const am_lcnet *net, const am_lcnet_layer *l)
{
    bool stays = l->in == l->out && !l->pair && l->stride[0] == 1;
    x = mix_places(b, x, l, stays);
    if (l->squeezes) x = am_affine_squeeze(b, "token_squeeze_excitation", x, net->reduction);
    am_value h = am_unary(b, AM_GELU, conv(b, "channel_conv1", x, 2 * l->in, 1, 1));
    h = conv(b, "channel_conv2", h, l->out, 1, 1);
    return stays ? am_add(b, x, h) : h;
}

#define LAYER(in, out, squeezes)                                                                                       \
    {                                                                                                                  \
        3, in, out, {1, 1}, false, squeezes                                                                            \
    }
#define HALVING(in, out)                                                                                               \
    {                                                                                                                  \
        3, in, out, {2, 1}, true, false                                                                                \
    }

static const am_lcnet defaults = {
    .stages = 4,
    .depths = {1, 2, 7, 3},
    .layers = {{LAYER(96, 96, true)},
               {LAYER(96, 96, false), LAYER(96, 96, false)},
               {HALVING(96, 192), LAYER(192, 192, true), LAYER(192, 192, false), LAYER(192, 192, true),
                LAYER(192, 192, false), LAYER(192, 192, true), LAYER(192, 192, false)},
               {HALVING(192, 384), LAYER(384, 384, true), LAYER(384, 384, false)}},
    .hidden_act = AM_RELU,
    .list = "blocks",
    .embed = embed,
    .layer = layer,
};

static void backbone(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_lcnet net;
    am_lcnet_read(c, &defaults, false, &net);
    net.stem = am_affine_stem_read(c, &default_stem);
    net.is_large = !am_config_has(c, "stem_type") || am_config_is(c, "stem_type", "large");
    if (!net.is_large && !am_config_is(c, "stem_type", "small"))
        am_config_fail(c, "stem_type", "expected \"large\" or \"small\"");
    am_lcnet_backbone(b, &net);
}

static const am_architecture architectures[] = {
    {"PPLCNetV4Backbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_pp_lcnet_v4 = {
    .name = "pp_lcnet_v4", .base_prefix = "model", .architectures = architectures};

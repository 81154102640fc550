/* PP-LCNet V3: each convolution is the sum of several of its kernel, of one of 1 x 1 and, as far as the map stays as it
   is, of the map. transformers: models/pp_lcnet_v3/modeling_pp_lcnet_v3.py */
#include "models/blocks/lcnet.h"

#include <stdio.h>

enum { BRANCHES_LIMIT = 64 };

static const double NORM_EPS = 1e-5;

typedef struct rep_options {
    int64_t out, kernel, groups, stride[2];
    bool pair;
} rep_options;

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, const int64_t stride[2],
                     int64_t groups)
{
    int64_t padding = kernel / 2;
    am_convolution_attributes options = {.stride = am_shape_of(stride[0], stride[1]),
                                         .padding_before = am_shape_of(padding, padding),
                                         .padding_after = am_shape_of(padding, padding),
                                         .groups = groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "normalization", x, NORM_EPS);
    am_end_scope(b);
    return x;
}

static am_value plus(am_builder *b, am_value sum, am_value x)
{
    return sum.id ? am_add(b, sum, x) : x;
}

static am_value rep(am_builder *b, const char *name, am_value x, const am_lcnet *net, const rep_options *o)
{
    am_value sum = AM_NONE;
    char branch[64];
    am_scope(b, "%s", name);
    if (am_dim(b, x, 1) == o->out && !o->pair && o->stride[0] == 1) sum = am_batch_norm(b, "identity", x, NORM_EPS);
    if (o->kernel > 1) sum = plus(b, sum, conv(b, "conv_small_symmetric", x, o->out, 1, o->stride, o->groups));
    for (int i = 0; i < net->branches; i++) {
        snprintf(branch, sizeof branch, "conv_symmetric.%d", i);
        sum = plus(b, sum, conv(b, branch, x, o->out, o->kernel, o->stride, o->groups));
    }
    if (!sum.id && !am_builder_failed(b))
        am_config_fail(am_model_config(b), "conv_symmetric_num", "leaves no convolution");
    x = am_affine(b, "lab", sum);
    if (o->pair || o->stride[0] != 2) x = am_affine(b, "act.lab", am_unary(b, net->hidden_act, x));
    am_end_scope(b);
    return x;
}

static am_value embed(am_builder *b, am_value x, const am_lcnet *net)
{
    const int64_t stride[] = {net->stem_stride, net->stem_stride};
    return conv(b, "convolution", x, net->stem_channels, 3, stride, 1);
}

static am_value layer(am_builder *b, am_value x, const am_lcnet *net, const am_lcnet_layer *l)
{
    rep_options depthwise = {l->in, l->kernel, l->in, {l->stride[0], l->stride[1]}, l->pair};
    rep_options pointwise = {l->out, 1, 1, {1, 1}, false};
    x = rep(b, "depthwise_convolution", x, net, &depthwise);
    if (l->squeezes) x = am_affine_squeeze(b, "squeeze_excitation_module", x, net->reduction);
    return rep(b, "pointwise_convolution", x, net, &pointwise);
}

#define LAYER(kernel, in, out, stride, squeezes)                                                                       \
    {                                                                                                                  \
        kernel, in, out, {stride, stride}, false, squeezes                                                             \
    }

static const am_lcnet defaults = {
    .stages = 5,
    .depths = {1, 2, 2, 5, 4},
    .layers = {{LAYER(3, 16, 32, 1, false)},
               {LAYER(3, 32, 64, 2, false), LAYER(3, 64, 64, 1, false)},
               {LAYER(3, 64, 128, 2, false), LAYER(3, 128, 128, 1, false)},
               {LAYER(3, 128, 256, 2, false), LAYER(5, 256, 256, 1, false), LAYER(5, 256, 256, 1, false),
                LAYER(5, 256, 256, 1, false), LAYER(5, 256, 256, 1, false)},
               {LAYER(5, 256, 512, 2, true), LAYER(5, 512, 512, 1, true), LAYER(5, 512, 512, 1, false),
                LAYER(5, 512, 512, 1, false)}},
    .hidden_act = AM_HARD_SWISH,
    .list = "layers",
    .embed = embed,
    .layer = layer,
};

static void backbone(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_lcnet net;
    am_lcnet_read(c, &defaults, true, &net);
    net.branches = am_config_count(c, "conv_symmetric_num", 4);
    if (net.branches > BRANCHES_LIMIT) am_config_fail(c, "conv_symmetric_num", "more than %d", BRANCHES_LIMIT);
    else am_lcnet_backbone(b, &net);
}

static const am_architecture architectures[] = {
    {"PPLCNetV3Backbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_pp_lcnet_v3 = {
    .name = "pp_lcnet_v3", .base_prefix = "model", .architectures = architectures};

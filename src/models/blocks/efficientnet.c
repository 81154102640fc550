#include "models/blocks/efficientnet.h"

#include <inttypes.h>
#include <math.h>

enum { STEM_WIDTH = 32, LAYERS_LIMIT = 1024 };

/* How many layers stage i has. */
static int64_t depth_of(const am_efficientnet *c, int i)
{
    return (int64_t)ceil(c->depth_coefficient * (double)c->repeats[i]);
}

static void read_stages(const am_config *c, am_efficientnet *r)
{
    static const int64_t in[] = {32, 16, 24, 40, 80, 112, 192}, out[] = {16, 24, 40, 80, 112, 192, 320},
                         kernels[] = {3, 3, 5, 3, 5, 5, 3}, strides[] = {1, 2, 2, 2, 1, 2, 1},
                         repeats[] = {1, 2, 2, 3, 3, 4, 1}, ratios[] = {1, 6, 6, 6, 6, 6, 6};
    int64_t widths[AM_STAGES_LIMIT]; /* those that the stages before give */
    r->stages = am_config_sizes(c, "in_channels", widths, AM_STAGES_LIMIT, in, 7);
    if (r->stages == 0) am_config_fail(c, "in_channels", "expected a stage or more");
    am_stage_sizes(c, "out_channels", r->stages, 1, out, 7, r->out_channels);
    am_stage_sizes(c, "kernel_sizes", r->stages, 1, kernels, 7, r->kernel_sizes);
    am_stage_sizes(c, "strides", r->stages, 1, strides, 7, r->strides);
    am_stage_sizes(c, "num_block_repeats", r->stages, 1, repeats, 7, r->repeats);
    am_stage_sizes(c, "expand_ratios", r->stages, 1, ratios, 7, r->expand_ratios);
    for (int i = 0; i < r->stages; i++) {
        if (depth_of(r, i) > LAYERS_LIMIT) {
            am_config_unsupported(c, "num_block_repeats", "at most %d layers in a stage are supported", LAYERS_LIMIT);
            r->repeats[i] = 1;
        }
        if (r->strides[i] > 2) am_config_fail(c, "strides", "element %d is more than 2", i);
        if (r->strides[i] == 2 && r->kernel_sizes[i] == 1)
            am_config_unsupported(c, "kernel_sizes", "element %d is 1 where the stride is 2", i);
    }
}

am_efficientnet am_efficientnet_read(const am_config *c)
{
    am_efficientnet r = {
        .config = *c,
        .num_channels = am_config_size(c, "num_channels", 3),
        .depth_divisor = am_config_size(c, "depth_divisor", 8),
        .hidden_dim = am_config_size(c, "hidden_dim", 2560),
        .width_coefficient = am_config_factor(c, "width_coefficient", 2),
        .depth_coefficient = am_config_factor(c, "depth_coefficient", 3.1),
        .squeeze_expansion_ratio = am_config_factor(c, "squeeze_expansion_ratio", 0.25),
        .batch_norm_eps = am_config_real(c, "batch_norm_eps", 1e-3),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .pools_maximum = am_config_is(c, "pooling_type", "max"),
    };
    if (!r.pools_maximum && am_config_has(c, "pooling_type") && !am_config_is(c, "pooling_type", "mean"))
        am_config_fail(c, "pooling_type", "expected \"mean\" or \"max\", found \"%s\"",
                       am_config_text(c, "pooling_type", ""));
    read_stages(c, &r);
    return r;
}

int64_t am_efficientnet_width(const am_efficientnet *c, int64_t channels)
{
    return am_round_channels((double)channels * c->width_coefficient, c->depth_divisor, c->depth_divisor);
}

/* Whether the list depthwise_padding names a layer. */
static bool pads_evenly(const am_config *c, int64_t layer)
{
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "depthwise_padding")); am_json_next(&it);)
        if (am_json_int(it.value, -1) == layer) return true;
    return false;
}

am_value am_efficientnet_pointwise(am_builder *b, const char *convolution, const char *norm, am_value x,
                                   const am_efficientnet *c, int64_t out)
{
    x = am_conv(b, convolution, x, out, am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    return am_batch_norm(b, norm, x, c->batch_norm_eps);
}

/* Of each channel by itself. Images that are halved are padded less at the start, unless `evenly`. */
static am_value depthwise(am_builder *b, am_value x, const am_efficientnet *c, int64_t kernel, int64_t stride,
                          bool evenly)
{
    int64_t C = am_dim(b, x, 1), before = (kernel - 1) / 2, after = kernel / 2;
    if (stride == 2) before = after - !evenly;
    am_convolution_attributes options = {.stride = am_shape_of(stride, stride),
                                         .padding_before = am_shape_of(before, before),
                                         .padding_after = am_shape_of(after, after),
                                         .groups = C};
    am_scope(b, "depthwise_conv");
    x = am_conv(b, "depthwise_conv", x, C, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = am_unary(b, c->hidden_act, am_batch_norm(b, "depthwise_norm", x, c->batch_norm_eps));
    am_end_scope(b);
    return x;
}

/* A layer of stage i, its j-th, in the model the layer-th. */
static am_value block(am_builder *b, am_value x, const am_efficientnet *c, int i, int64_t j, int64_t layer)
{
    int64_t in = am_dim(b, x, 1), stride = j == 0 ? c->strides[i] : 1;
    double squeezed = floor((double)in * c->squeeze_expansion_ratio);
    am_squeeze_options squeeze = {.reduce = "squeeze_excite.reduce",
                                  .expand = "squeeze_excite.expand",
                                  .channels = squeezed < 1 ? 1 : (int64_t)squeezed,
                                  .activation = c->hidden_act};
    am_value h = x;
    if (c->expand_ratios[i] != 1) {
        am_scope(b, "expansion");
        h = am_efficientnet_pointwise(b, "expand_conv", "expand_bn", h, c, in * c->expand_ratios[i]);
        h = am_unary(b, c->hidden_act, h);
        am_end_scope(b);
    }
    h = depthwise(b, h, c, c->kernel_sizes[i], stride, pads_evenly(&c->config, layer));
    h = am_squeeze_excite(b, h, &squeeze);
    am_scope(b, "projection");
    h = am_efficientnet_pointwise(b, "project_conv", "project_bn", h, c, am_efficientnet_width(c, c->out_channels[i]));
    am_end_scope(b);
    return j > 0 ? am_add(b, h, x) : h;
}

static am_value stem(am_builder *b, const am_efficientnet *c, const char *hidden_states)
{
    am_convolution_attributes options = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(0, 0), .padding_after = am_shape_of(1, 1)};
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "embeddings");
    x = am_conv(b, "convolution", x, am_efficientnet_width(c, STEM_WIDTH), am_shape_of(3, 3), AM_NO_BIAS, &options);
    x = am_unary(b, c->hidden_act, am_batch_norm(b, "batchnorm", x, c->batch_norm_eps));
    am_end_scope(b);
    if (hidden_states) am_output_hidden_state(b, hidden_states, 0, x);
    return x;
}

am_value am_efficientnet_layers(am_builder *b, const am_efficientnet *c, const char *hidden_states)
{
    am_value x = stem(b, c, hidden_states);
    int layer = 0;
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages; i++) {
        for (int64_t j = 0; j < depth_of(c, i) && !am_builder_failed(b); j++) {
            am_scope(b, "blocks.%d", layer);
            x = block(b, x, c, i, j, layer++);
            am_end_scope(b);
            if (hidden_states) am_output_hidden_state(b, hidden_states, layer, x);
        }
    }
    am_end_scope(b);
    return x;
}

/* The pooling's windows have that many rows and columns, too, which an image should not have. */
am_value am_efficientnet_pool(am_builder *b, am_value x, const am_efficientnet *c)
{
    int64_t H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    if (H > c->hidden_dim || W > c->hidden_dim)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " x %" PRId64 " positions; at most %" PRId64 " x %" PRId64
                                    " are pooled (hidden_dim)",
                                    H, W, c->hidden_dim, c->hidden_dim));
    return am_reduce(b, c->pools_maximum ? AM_REDUCE_MAX : AM_REDUCE_MEAN, x, am_shape_of(2, 3), false);
}

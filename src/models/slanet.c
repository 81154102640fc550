/* SLANet: PP-LCNet's maps, brought together coarse to fine and back, from which the structure of a table is written.
   transformers: models/slanet/modeling_slanet.py */
#include "models/blocks/feature_maps.h"
#include "models/blocks/table_structure.h"

#include <stdio.h>

typedef struct slanet_neck {
    int64_t C, kernel, blocks;
    am_unary_fn act;
} slanet_neck;

static am_value conv(am_builder *b, const char *name, am_value x, const slanet_neck *n, int64_t out)
{
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, out, am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = am_unary(b, n->act, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    return x;
}

/* Below a scope of its own: places of each channel by itself, then channels. */
static am_value separable(am_builder *b, am_value x, const slanet_neck *n, int64_t stride)
{
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes options = {.stride = am_shape_of(stride, stride),
                                         .padding_before = am_shape_of(n->kernel / 2, n->kernel / 2),
                                         .padding_after = am_shape_of(n->kernel / 2, n->kernel / 2),
                                         .groups = C};
    am_scope(b, "depthwise_convolution");
    x = am_conv(b, "convolution", x, C, am_shape_of(n->kernel, n->kernel), AM_NO_BIAS, &options);
    x = am_unary(b, n->act, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    return conv(b, "pointwise_convolution", x, n, C);
}

/* Both maps together; one half of their channels goes through the bottlenecks, the other past them. */
static am_value csp(am_builder *b, const char *list, int i, am_value x, am_value y, const slanet_neck *n)
{
    am_scope(b, "%s.%d", list, i);
    x = am_concat2(b, x, y, 1);
    am_value past = conv(b, "conv1", x, n, n->C / 2);
    x = conv(b, "conv2", x, n, n->C / 2);
    for (int k = 0; k < n->blocks && !am_builder_failed(b); k++) {
        am_scope(b, "bottlenecks.%d", k);
        x = conv(b, "conv1", x, n, n->C / 2);
        am_scope(b, "conv2");
        x = separable(b, x, n, 1);
        am_end_scope(b);
        am_end_scope(b);
    }
    x = conv(b, "conv3", am_concat2(b, x, past, 1), n, n->C);
    am_end_scope(b);
    return x;
}

static am_value enlarge(am_builder *b, am_value x, am_value like)
{
    am_resize_attributes options = {.size = am_shape_of(am_dim(b, like, 2), am_dim(b, like, 3)),
                                    .mode = AM_RESIZE_NEAREST};
    return am_resize(b, x, &options);
}

/* maps: the finest first -> the coarsest one's size: [B, C, h, w]. */
static am_value neck(am_builder *b, am_value *maps, int count, const slanet_neck *n)
{
    char name[64];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "channel_projector.%d", i);
        maps[i] = conv(b, name, maps[i], n, n->C);
    }
    for (int i = count - 2; i >= 0; i--)
        maps[i] = csp(b, "top_down_blocks", count - 2 - i, enlarge(b, maps[i + 1], maps[i]), maps[i], n);
    am_value x = maps[0];
    for (int i = 0; i + 1 < count; i++) {
        am_scope(b, "downsamples.%d", i);
        am_value smaller = separable(b, x, n, 2);
        am_end_scope(b);
        x = csp(b, "bottom_up_blocks", i, smaller, maps[i + 1], n);
    }
    return x;
}

static am_value backbone(am_builder *b, const char *pixels)
{
    const am_config *c = am_model_config(b);
    am_config inner = am_config_child(c, "backbone_config");
    slanet_neck n = {.C = am_config_size(c, "post_conv_out_channels", 96),
                     .kernel = am_config_size(c, "csp_kernel_size", 5),
                     .blocks = am_config_count(c, "csp_num_blocks", 1),
                     .act = am_config_activation(c, "hidden_act", AM_HARD_SWISH)};
    if (n.C < 2) am_config_fail(c, "post_conv_out_channels", "half of it is nothing");
    am_scope(b, "vision_backbone");
    am_feature_maps maps = am_backbone_maps_of_pixels(b, &inner, pixels, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b) || n.C < 2) return AM_NONE;
    am_scope(b, "post_csp_pan");
    am_value x = neck(b, maps.maps, maps.count, &n);
    am_end_scope(b);
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
    return am_image_tokens(b, x);
}

static const am_table_family family = {.backbone = backbone, .width = 96, .hidden_size = 256};

static const am_architecture architectures[] = {
    {"SLANetBackbone", am_table_backbone, NULL, 0},
    {"SLANetSLAHead", am_table_head, NULL, AM_MEASURES},
    {"SLANetForTableRecognition", am_table_recognition, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_slanet = {
    .name = "slanet", .base_prefix = "backbone", .architectures = architectures, .family = &family};

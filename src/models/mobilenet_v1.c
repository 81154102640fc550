/* MobileNet V1: each convolution is one of every channel by itself and one 1 x 1 over the channels. transformers:
   models/mobilenet_v1/modeling_mobilenet_v1.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <stdio.h>

enum { LAYERS = 13, FIRST_WIDTH = 32 };

typedef struct mobilenet_v1_config {
    int64_t num_channels, min_depth;
    double depth_multiplier;
    am_normed_conv_options convolution; /* what all have in common */
    int64_t labels;
} mobilenet_v1_config;

static mobilenet_v1_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (mobilenet_v1_config){
        .num_channels = am_config_size(c, "num_channels", 3),
        .min_depth = am_config_count(c, "min_depth", 8),
        .depth_multiplier = am_config_factor(c, "depth_multiplier", 1),
        .convolution = {.activation = am_config_activation(c, "hidden_act", AM_RELU6),
                        .eps = am_config_real(c, "layer_norm_eps", 1e-3),
                        .same_padding = am_config_flag(c, "tf_padding", true)},
        .labels = am_config_labels(c),
    };
}

static int64_t width_of(const mobilenet_v1_config *c, int64_t width)
{
    int64_t scaled = (int64_t)((double)width * c->depth_multiplier);
    return scaled > c->min_depth ? scaled : c->min_depth;
}

static am_value convolve(am_builder *b, const char *name, am_value x, const mobilenet_v1_config *c,
                         am_normed_conv_options options)
{
    options.activation = c->convolution.activation;
    options.eps = c->convolution.eps;
    options.same_padding = c->convolution.same_padding;
    return am_normed_conv(b, name, x, &options);
}

/* [B, C, H, W] */
static am_value body(am_builder *b, const mobilenet_v1_config *c)
{
    static const int strides[LAYERS] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    int64_t width = FIRST_WIDTH;
    char name[32];
    am_value x = am_pixel_values(b, c->num_channels);
    x = convolve(b, "conv_stem", x, c, (am_normed_conv_options){.out = width_of(c, width), .kernel = 3, .stride = 2});
    for (int i = 0; i < LAYERS; i++) {
        int64_t in = am_dim(b, x, 1);
        if (strides[i] == 2 || i == 0) width *= 2;
        snprintf(name, sizeof name, "layer.%d", 2 * i);
        x = convolve(b, name, x, c,
                     (am_normed_conv_options){.out = in, .kernel = 3, .stride = strides[i], .groups = in});
        am_output_hidden_state(b, "hidden_states", 2 * i, x);
        snprintf(name, sizeof name, "layer.%d", 2 * i + 1);
        x = convolve(b, name, x, c, (am_normed_conv_options){.out = width_of(c, width), .kernel = 1});
        am_output_hidden_state(b, "hidden_states", 2 * i + 1, x);
    }
    return x;
}

static void mobilenet_v1_model(am_builder *b)
{
    mobilenet_v1_config c = read_config(b);
    am_value x = body(b, &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, false));
}

static void for_image_classification(am_builder *b)
{
    mobilenet_v1_config c = read_config(b);
    am_scope(b, "mobilenet_v1");
    am_value x = am_image_mean(b, body(b, &c), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"MobileNetV1Model", mobilenet_v1_model, "image-feature-extraction", 0},
    {"MobileNetV1ForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_mobilenet_v1 = {
    .name = "mobilenet_v1", .base_prefix = "mobilenet_v1", .architectures = architectures};

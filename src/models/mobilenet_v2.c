/* MobileNet V2: layers widen their channels, convolve each by itself and narrow them again; where the image must not
   shrink further, kernels get gaps. transformers: models/mobilenet_v2/modeling_mobilenet_v2.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <math.h>

enum { LAYERS = 16, FIRST_WIDTH = 32, LAST_WIDTH = 1280, HEAD_WIDTH = 256 };

static const int widths[LAYERS + 1] = {16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320};
static const int strides[LAYERS] = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
static const double HEAD_NORM_EPS = 1e-5; /* not configurable */

typedef struct mobilenet_v2_config {
    int64_t num_channels, depth_divisible_by, min_depth, output_stride;
    double depth_multiplier, expand_ratio;
    bool first_layer_is_expansion, finegrained_output;
    am_normed_conv_options convolution; /* what all have in common */
    int64_t labels;
} mobilenet_v2_config;

static mobilenet_v2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (mobilenet_v2_config){
        .num_channels = am_config_size(c, "num_channels", 3),
        .depth_divisible_by = am_config_size(c, "depth_divisible_by", 8),
        .min_depth = am_config_count(c, "min_depth", 8),
        .output_stride = am_config_size(c, "output_stride", 32),
        .depth_multiplier = am_config_factor(c, "depth_multiplier", 1),
        .expand_ratio = am_config_factor(c, "expand_ratio", 6),
        .first_layer_is_expansion = am_config_flag(c, "first_layer_is_expansion", true),
        .finegrained_output = am_config_flag(c, "finegrained_output", true),
        .convolution = {.kernel = 1,
                        .activation = am_config_activation(c, "hidden_act", AM_RELU6),
                        .eps = am_config_real(c, "layer_norm_eps", 1e-3),
                        .same_padding = am_config_flag(c, "tf_padding", true)},
        .labels = am_config_labels(c),
    };
}

/* Half to even, as Python rounds. */
static int64_t width_of(const mobilenet_v2_config *c, int64_t width, double ratio)
{
    return am_round_channels(nearbyint((double)width * ratio), c->depth_divisible_by, c->min_depth);
}

static am_value stem(am_builder *b, am_value x, const mobilenet_v2_config *c)
{
    int64_t wide = width_of(c, FIRST_WIDTH, c->depth_multiplier);
    am_normed_conv_options first = c->convolution, expand = first, depthwise = first, reduce = first;
    first.out = expand.out = depthwise.out = depthwise.groups = wide;
    first.kernel = depthwise.kernel = 3;
    first.stride = 2;
    reduce.out = width_of(c, widths[0], c->depth_multiplier);
    reduce.activation = AM_IDENTITY;
    x = am_normed_conv(b, "first_conv", x, &first);
    if (!c->first_layer_is_expansion) x = am_normed_conv(b, "expand_1x1", x, &expand);
    x = am_normed_conv(b, "conv_3x3", x, &depthwise);
    return am_normed_conv(b, "reduce_1x1", x, &reduce);
}

/* What the last layer gives: [B, C, H, W]; the image shrinks by output_stride at most. */
static am_value body(am_builder *b, const mobilenet_v2_config *c)
{
    int64_t shrunk = 2, gap = 1;
    am_scope(b, "conv_stem");
    am_value x = stem(b, am_pixel_values(b, c->num_channels), c);
    am_end_scope(b);
    for (int i = 0; i < LAYERS; i++) {
        am_normed_conv_options options = c->convolution;
        bool keeps_size = shrunk == c->output_stride;
        options.out = width_of(c, widths[i + 1], c->depth_multiplier);
        options.stride = keeps_size ? 1 : strides[i];
        options.dilation = keeps_size ? gap : 1;
        if (keeps_size) gap *= strides[i];
        else shrunk *= strides[i];
        am_scope(b, "layer.%d", i);
        x = am_inverted_residual(b, x, width_of(c, am_dim(b, x, 1), c->expand_ratio), &options);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    return x;
}

static am_value widen(am_builder *b, am_value x, const mobilenet_v2_config *c)
{
    am_normed_conv_options options = c->convolution;
    options.out =
        c->finegrained_output && c->depth_multiplier < 1 ? LAST_WIDTH : width_of(c, LAST_WIDTH, c->depth_multiplier);
    return am_normed_conv(b, "conv_1x1", x, &options);
}

static void mobilenet_v2_model(am_builder *b)
{
    mobilenet_v2_config c = read_config(b);
    am_value x = widen(b, body(b, &c), &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, false));
}

static void for_image_classification(am_builder *b)
{
    mobilenet_v2_config c = read_config(b);
    am_scope(b, "mobilenet_v2");
    am_value x = am_image_mean(b, widen(b, body(b, &c), &c), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

/* DeepLab V3+: beside each position, what is in the whole image. */
static void for_semantic_segmentation(am_builder *b)
{
    mobilenet_v2_config c = read_config(b);
    am_normed_conv_options options = c.convolution;
    options.out = HEAD_WIDTH;
    options.activation = AM_RELU;
    options.eps = HEAD_NORM_EPS;
    am_scope(b, "mobilenet_v2");
    am_value x = body(b, &c);
    am_end_scope(b);
    am_scope(b, "segmentation_head");
    am_value whole = am_normed_conv(b, "conv_pool", am_image_mean(b, x, true), &options);
    x = am_normed_conv(b, "conv_aspp", x, &options);
    x = am_concat2(b, am_broadcast(b, whole, am_shape_of_value(b, x)), x, 1);
    x = am_normed_conv(b, "conv_projection", x, &options);
    x = am_conv(b, "classifier.convolution", x, c.labels, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    am_output(b, "logits", x);
}

static const am_architecture architectures[] = {
    {"MobileNetV2Model", mobilenet_v2_model, "image-feature-extraction", 0},
    {"MobileNetV2ForImageClassification", for_image_classification, "image-classification", 0},
    {"MobileNetV2ForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_mobilenet_v2 = {
    .name = "mobilenet_v2", .base_prefix = "mobilenet_v2", .architectures = architectures};

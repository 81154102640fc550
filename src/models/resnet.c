/* ResNet: a convolution and a pooling that quarter the image, then stages of residual layers; a convolution
   is always followed by a batch norm. transformers: models/resnet/modeling_resnet.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

enum { REDUCTION = 4 }; /* of channels within a bottleneck */

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */
static const am_stages default_stages = {4, {3, 4, 6, 3}, {256, 512, 1024, 2048}};

typedef struct resnet_config {
    int64_t num_channels, embedding_size;
    am_stages stages;
    bool bottleneck, downsample_in_first_stage, downsample_in_bottleneck;
    am_unary_fn hidden_act;
    int64_t labels;
} resnet_config;

static resnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    resnet_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .embedding_size = am_config_size(c, "embedding_size", 64),
        .stages = am_stages_read(c, &default_stages),
        .bottleneck = !am_config_is(c, "layer_type", "basic"),
        .downsample_in_first_stage = am_config_flag(c, "downsample_in_first_stage", false),
        .downsample_in_bottleneck = am_config_flag(c, "downsample_in_bottleneck", false),
        .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
        .labels = am_config_labels(c),
    };
    if (r.bottleneck && am_config_has(c, "layer_type") && !am_config_is(c, "layer_type", "bottleneck"))
        am_config_fail(c, "layer_type", "expected \"basic\" or \"bottleneck\", found \"%s\"",
                       am_config_text(c, "layer_type", ""));
    for (int i = 0; i < r.stages.count && r.bottleneck; i++)
        if (r.stages.hidden_sizes[i] < REDUCTION)
            am_config_fail(c, "hidden_sizes", "element %d is less than %d, a bottleneck's reduction", i, REDUCTION);
    return r;
}

static am_value conv_layer(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride,
                           am_unary_fn activation)
{
    return am_normed_conv(
        b, name, x,
        &(am_normed_conv_options){
            .out = out, .kernel = kernel, .stride = stride, .activation = activation, .eps = BATCH_NORM_EPS});
}

static am_value basic(am_builder *b, am_value x, int64_t out, int64_t stride)
{
    x = conv_layer(b, "layer.0", x, out, 3, stride, AM_RELU); /* whatever hidden_act is */
    return conv_layer(b, "layer.1", x, out, 3, 1, AM_IDENTITY);
}

static am_value bottleneck(am_builder *b, am_value x, int64_t out, int64_t stride, bool stride_first)
{
    x = conv_layer(b, "layer.0", x, out / REDUCTION, 1, stride_first ? stride : 1, AM_RELU);
    x = conv_layer(b, "layer.1", x, out / REDUCTION, 3, stride_first ? 1 : stride, AM_RELU);
    return conv_layer(b, "layer.2", x, out, 1, 1, AM_IDENTITY);
}

static am_value residual_layer(am_builder *b, am_value x, const resnet_config *c, int64_t out, int64_t stride)
{
    bool projected = am_dim(b, x, 1) != out || stride != 1;
    am_value h = c->bottleneck ? bottleneck(b, x, out, stride, c->downsample_in_bottleneck) : basic(b, x, out, stride);
    if (projected) x = conv_layer(b, "shortcut", x, out, 1, stride, AM_IDENTITY);
    return am_unary(b, c->hidden_act, am_add(b, h, x));
}

/* A stage has a layer even where its depth is 0. */
static am_value stage(am_builder *b, am_value x, const resnet_config *c, int i)
{
    int64_t stride = i > 0 || c->downsample_in_first_stage ? 2 : 1;
    for (int j = 0; (j == 0 || j < c->stages.depths[i]) && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        x = residual_layer(b, x, c, c->stages.hidden_sizes[i], j == 0 ? stride : 1);
        am_end_scope(b);
    }
    return x;
}

static am_value stem(am_builder *b, const resnet_config *c)
{
    am_pool_attributes halving = {.fn = AM_POOL_MAX,
                                  .kernel = am_shape_of(3, 3),
                                  .stride = am_shape_of(2, 2),
                                  .padding_before = am_shape_of(1, 1),
                                  .padding_after = am_shape_of(1, 1)};
    am_value x = am_pixel_values(b, c->num_channels);
    x = conv_layer(b, "embedder.embedder", x, c->embedding_size, 7, 2, c->hidden_act);
    return am_pool(b, x, &halving);
}

/* states: the 1 + count hidden states, [B, C, H, W], the stem's first. Returns the last. */
static am_value body(am_builder *b, const resnet_config *c, am_value *states)
{
    states[0] = stem(b, c);
    am_output_hidden_state(b, "hidden_states", 0, states[0]);
    for (int i = 0; i < c->stages.count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, states[i], c, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, states[i + 1]);
    }
    return states[c->stages.count];
}

static void resnet_model(am_builder *b)
{
    resnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1], x = body(b, &c, states);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, true));
}

static void for_image_classification(am_builder *b)
{
    resnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    am_scope(b, "resnet");
    am_value x = am_image_mean(b, body(b, &c, states), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier.1", x, c.labels, AM_BIAS));
}

static void backbone(am_builder *b)
{
    resnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    body(b, &c, states);
    am_output_feature_maps(b, states, c.stages.count);
}

static const am_architecture architectures[] = {
    {"ResNetModel", resnet_model, "image-feature-extraction", 0},
    {"ResNetForImageClassification", for_image_classification, "image-classification", 0},
    {"ResNetBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_resnet = {.name = "resnet", .base_prefix = "resnet", .architectures = architectures};

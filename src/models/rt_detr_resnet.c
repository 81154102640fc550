/* RT-DETR's ResNet: three convolutions in place of the first, and shortcuts that pool before they project.
   transformers: models/rt_detr/modeling_rt_detr_resnet.py */
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
} resnet_config;

static void check(const am_config *c, const resnet_config *r)
{
    if (r->bottleneck && am_config_has(c, "layer_type") && !am_config_is(c, "layer_type", "bottleneck"))
        am_config_fail(c, "layer_type", "expected \"basic\" or \"bottleneck\", found \"%s\"",
                       am_config_text(c, "layer_type", ""));
    if (r->embedding_size < 2) am_config_fail(c, "embedding_size", "is less than 2");
    for (int i = 0; i < r->stages.count && r->bottleneck; i++)
        if (r->stages.hidden_sizes[i] < REDUCTION)
            am_config_fail(c, "hidden_sizes", "element %d is less than %d, a bottleneck's reduction", i, REDUCTION);
}

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
    };
    check(c, &r);
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

static am_value pooled_shortcut(am_builder *b, am_value x, int64_t out)
{
    am_pool_attributes halving = {.fn = AM_POOL_AVERAGE, .kernel = am_shape_of(2, 2), .ceil_mode = true};
    return conv_layer(b, "shortcut.1", am_pool(b, x, &halving), out, 1, 1, AM_IDENTITY);
}

static am_value basic(am_builder *b, am_value x, const resnet_config *c, int64_t out, int64_t stride, bool is_first)
{
    bool widens = am_dim(b, x, 1) != out;
    am_value h = conv_layer(b, "layer.0", x, out, 3, stride, AM_RELU); /* whatever hidden_act is */
    h = conv_layer(b, "layer.1", h, out, 3, 1, AM_IDENTITY);
    if (is_first && widens) x = pooled_shortcut(b, x, out);
    else if (is_first) x = conv_layer(b, "shortcut", x, out, 1, stride, AM_IDENTITY);
    return am_unary(b, c->hidden_act, am_add(b, h, x));
}

static am_value bottleneck(am_builder *b, am_value x, const resnet_config *c, int64_t out, int64_t stride)
{
    bool first = c->downsample_in_bottleneck, projected = am_dim(b, x, 1) != out;
    am_value h = conv_layer(b, "layer.0", x, out / REDUCTION, 1, first ? stride : 1, AM_RELU);
    h = conv_layer(b, "layer.1", h, out / REDUCTION, 3, first ? 1 : stride, AM_RELU);
    h = conv_layer(b, "layer.2", h, out, 1, 1, AM_IDENTITY);
    if (stride == 2) x = pooled_shortcut(b, x, out);
    else if (projected) x = conv_layer(b, "shortcut", x, out, 1, stride, AM_IDENTITY);
    return am_unary(b, c->hidden_act, am_add(b, h, x));
}

/* A stage has a layer even where its depth is 0. */
static am_value stage(am_builder *b, am_value x, const resnet_config *c, int i)
{
    int64_t stride = i > 0 || c->downsample_in_first_stage ? 2 : 1, out = c->stages.hidden_sizes[i];
    for (int j = 0; (j == 0 || j < c->stages.depths[i]) && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        int64_t own = j ? 1 : stride;
        x = c->bottleneck ? bottleneck(b, x, c, out, own) : basic(b, x, c, out, own, j == 0);
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
    x = conv_layer(b, "embedder.embedder.0", x, c->embedding_size / 2, 3, 2, c->hidden_act);
    x = conv_layer(b, "embedder.embedder.1", x, c->embedding_size / 2, 3, 1, c->hidden_act);
    x = conv_layer(b, "embedder.embedder.2", x, c->embedding_size, 3, 1, c->hidden_act);
    return am_pool(b, x, &halving);
}

static void backbone(am_builder *b)
{
    resnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1] = {stem(b, &c)};
    for (int i = 0; i < c.stages.count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, states[i], &c, i);
        am_end_scope(b);
    }
    am_output_feature_maps(b, states, c.stages.count);
    for (int i = 0; i <= c.stages.count; i++) am_output_hidden_state(b, "hidden_states", i, states[i]);
}

static const am_architecture architectures[] = {{"RTDetrResNetBackbone", backbone, NULL, 0}, {0}};

const am_model_type am_model_rt_detr_resnet = {.name = "rt_detr_resnet", .architectures = architectures};

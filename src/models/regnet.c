/* RegNet: ResNet's bottlenecks without the bottleneck: three convolutions of one width, the middle one in groups; Y
   layers squeeze and excite, X layers do not. transformers: models/regnet/modeling_regnet.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */
static const am_stages default_stages = {4, {2, 6, 12, 2}, {128, 192, 512, 1088}};

typedef struct regnet_config {
    int64_t num_channels, embedding_size, groups_width;
    am_stages stages;
    bool excites, downsample_in_first_stage;
    am_unary_fn hidden_act;
    int64_t labels;
} regnet_config;

static int64_t groups_of(const regnet_config *c, int64_t channels)
{
    return channels < c->groups_width ? 1 : channels / c->groups_width;
}

static regnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    regnet_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .embedding_size = am_config_size(c, "embedding_size", 32),
        .groups_width = am_config_size(c, "groups_width", 64),
        .stages = am_stages_read(c, &default_stages),
        .excites = !am_config_is(c, "layer_type", "x"),
        .downsample_in_first_stage = am_config_flag(c, "downsample_in_first_stage", true),
        .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
        .labels = am_config_labels(c),
    };
    if (r.excites && am_config_has(c, "layer_type") && !am_config_is(c, "layer_type", "y"))
        am_config_fail(c, "layer_type", "expected \"x\" or \"y\", found \"%s\"", am_config_text(c, "layer_type", ""));
    for (int i = 0; i < r.stages.count; i++) {
        int64_t channels = r.stages.hidden_sizes[i], groups = groups_of(&r, channels);
        if (channels % groups != 0)
            am_config_fail(c, "hidden_sizes", "element %d, %" PRId64 ", is no multiple of its %" PRId64 " groups", i,
                           channels, groups);
    }
    return r;
}

/* A quarter of what comes into the layer, half to even as Python rounds. */
static am_value excite(am_builder *b, am_value x, int64_t in)
{
    int64_t channels = (int64_t)nearbyint((double)in / 4);
    if (channels == 0) {
        am_config_fail(am_model_config(b), "hidden_sizes", "%" PRId64 " channels leave none to be squeezed into", in);
        return x;
    }
    return am_squeeze_excite(
        b, x,
        &(am_squeeze_options){
            .reduce = "attention.0", .expand = "attention.2", .channels = channels, .activation = AM_RELU});
}

static am_value layer(am_builder *b, am_value x, const regnet_config *c, int64_t out, int64_t stride)
{
    int64_t in = am_dim(b, x, 1);
    am_normed_conv_options wide = {.out = out, .kernel = 1, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    am_normed_conv_options grouped = wide, last = wide, shortcut = wide;
    grouped.kernel = 3;
    grouped.groups = groups_of(c, out);
    grouped.stride = shortcut.stride = stride;
    last.activation = shortcut.activation = AM_IDENTITY;
    am_value h = am_normed_conv(b, "layer.0", x, &wide);
    h = am_normed_conv(b, "layer.1", h, &grouped);
    if (c->excites) {
        am_scope(b, "layer.2");
        h = excite(b, h, in);
        am_end_scope(b);
    }
    h = am_normed_conv(b, c->excites ? "layer.3" : "layer.2", h, &last);
    if (in != out || stride != 1) x = am_normed_conv(b, "shortcut", x, &shortcut);
    return am_unary(b, c->hidden_act, am_add(b, h, x));
}

/* A stage has a layer even where its depth is 0. */
static am_value stage(am_builder *b, am_value x, const regnet_config *c, int i)
{
    int64_t stride = i > 0 || c->downsample_in_first_stage ? 2 : 1;
    for (int j = 0; (j == 0 || j < c->stages.depths[i]) && !am_builder_failed(b); j++) {
        am_scope(b, "encoder.stages.%d.layers.%d", i, j);
        x = layer(b, x, c, c->stages.hidden_sizes[i], j == 0 ? stride : 1);
        am_end_scope(b);
    }
    return x;
}

/* [B, C, H, W] */
static am_value body(am_builder *b, const regnet_config *c)
{
    am_value x = am_pixel_values(b, c->num_channels);
    x = am_normed_conv(
        b, "embedder.embedder", x,
        &(am_normed_conv_options){
            .out = c->embedding_size, .kernel = 3, .stride = 2, .activation = c->hidden_act, .eps = BATCH_NORM_EPS});
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c->stages.count; i++) {
        x = stage(b, x, c, i);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    return x;
}

static void regnet_model(am_builder *b)
{
    regnet_config c = read_config(b);
    am_value x = body(b, &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, true));
}

static void for_image_classification(am_builder *b)
{
    regnet_config c = read_config(b);
    am_scope(b, "regnet");
    am_value x = am_image_mean(b, body(b, &c), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier.1", x, c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"RegNetModel", regnet_model, "image-feature-extraction", 0},
    {"RegNetForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_regnet = {.name = "regnet", .base_prefix = "regnet", .architectures = architectures};

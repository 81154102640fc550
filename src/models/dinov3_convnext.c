/* DINOv3's ConvNeXt: the image's mean stands before its places as a class token would. transformers:
   models/dinov3_convnext/modeling_dinov3_convnext.py */
#include "models/blocks/convnext.h"
#include "models/blocks/vision.h"

enum { PATCH = 4 };

static const am_stages default_stages = {4, {3, 3, 9, 3}, {96, 192, 384, 768}};
static const am_convnext_names names = {"depthwise_conv", "layer_norm", "pointwise_conv1", "pointwise_conv2", "gamma"};

static am_value stage(am_builder *b, am_value x, const am_stages *stages, const am_convnext_layer_options *o, int i)
{
    int64_t C = stages->hidden_sizes[i];
    if (i == 0) {
        x = am_patch_convolution(b, "downsample_layers.0", x, C, (const int64_t[]){PATCH, PATCH}, AM_BIAS);
        x = am_layer_norm_channels_first(b, "downsample_layers.1", x, o->layer_norm_eps);
    } else {
        x = am_layer_norm_channels_first(b, "downsample_layers.0", x, o->layer_norm_eps);
        x = am_patch_convolution(b, "downsample_layers.1", x, C, (const int64_t[]){2, 2}, AM_BIAS);
    }
    for (int j = 0; j < stages->depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        x = am_convnext_layer(b, x, o);
        am_end_scope(b);
    }
    return x;
}

/* states: the image and what comes out of each stage. Gives how many stages. */
static int body(am_builder *b, am_value *states)
{
    const am_config *c = am_model_config(b);
    am_stages stages = am_stages_read(c, &default_stages);
    am_convnext_layer_options options = {.names = &names,
                                         .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                                         .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                                         .scales = true};
    states[0] = am_pixel_values(b, am_config_size(c, "num_channels", 3));
    am_output_hidden_state(b, "hidden_states", 0, states[0]);
    for (int i = 0; i < stages.count; i++) {
        am_scope(b, "stages.%d", i);
        states[i + 1] = stage(b, states[i], &stages, &options, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, states[i + 1]);
    }
    return stages.count;
}

static void dinov3_convnext_model(am_builder *b)
{
    am_value states[AM_STAGES_LIMIT + 1], x = states[body(b, states)];
    am_value mean = am_reshape(b, am_image_mean(b, x, false), am_shape_of(am_dim(b, x, 0), 1, am_dim(b, x, 1)));
    double eps = am_config_real(am_model_config(b), "layer_norm_eps", 1e-6);
    x = am_layer_norm(b, "layer_norm", am_concat2(b, mean, am_image_tokens(b, x), 1), eps);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

static void backbone(am_builder *b)
{
    am_value states[AM_STAGES_LIMIT + 1];
    int count = body(b, states);
    am_output_feature_maps(b, states, count);
}

static const am_architecture architectures[] = {
    {"DINOv3ConvNextModel", dinov3_convnext_model, "image-feature-extraction", 0},
    {"DINOv3ConvNextBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_dinov3_convnext = {
    .name = "dinov3_convnext", .base_prefix = "model", .architectures = architectures};

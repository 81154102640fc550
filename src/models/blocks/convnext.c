#include "models/blocks/convnext.h"

#include "models/blocks/vision.h"

#include <stdio.h>

static const double NORM_EPS = 1e-6; /* of all norms but the last; not configurable */
static const double RESPONSE_EPS = 1e-6;
static const am_stages default_stages = {4, {3, 3, 9, 3}, {96, 192, 384, 768}};

typedef struct convnext_config {
    const am_convnext_family *family;
    am_image_options image;
    am_stages stages;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool layer_scale;
    int64_t labels;
} convnext_config;

static convnext_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_convnext_family *family = am_model_family(b);
    convnext_config r = {
        .family = family,
        .image = am_image_options_read(c, 224, 4),
        .stages = am_stages_read(c, &default_stages),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .layer_scale = family->scales && am_config_real(c, "layer_scale_init_value", 1e-6) > 0,
        .labels = am_config_labels(c),
    };
    int64_t stages = am_config_count(c, am_config_either(c, "num_stages", "num_hidden_layers"), 4);
    if (stages != r.stages.count)
        am_config_fail(c, "num_stages", "expected as many as depths, %d, found %d", r.stages.count, (int)stages);
    return r;
}

static const am_convnext_names names = {"dwconv", "layernorm", "pwconv1", "pwconv2", "layer_scale_parameter"};

/* Global response normalization: each channel times the length of all its numbers, in means of the channels'. x:
   [B, H, W, C] */
static am_value norm_responses(am_builder *b, am_value x)
{
    am_shape channels = am_shape_of(1, 1, 1, am_dim(b, x, -1));
    am_value squares = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x), am_shape_of(1, 2), true);
    am_value lengths = am_unary(b, AM_SQRT, squares);
    am_value mean = am_add_number(b, am_reduce_last(b, AM_REDUCE_MEAN, lengths), RESPONSE_EPS);
    am_value h = am_mul(b, x, am_div(b, lengths, mean));
    h = am_mul(b, h, am_parameter(b, "grn.weight", channels, x));
    return am_add(b, am_add(b, h, am_parameter(b, "grn.bias", channels, x)), x);
}

am_value am_convnext_layer(am_builder *b, am_value x, const am_convnext_layer_options *o)
{
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes depthwise = {
        .padding_before = am_shape_of(3, 3), .padding_after = am_shape_of(3, 3), .groups = C};
    am_value h = am_conv(b, o->names->depthwise, x, C, am_shape_of(7, 7), AM_BIAS, &depthwise);
    h = am_permute(b, h, am_shape_of(0, 2, 3, 1)); /* [B, H, W, C] */
    h = am_layer_norm(b, o->names->norm, h, o->layer_norm_eps);
    h = am_linear_activation(b, o->names->up, h, 4 * C, AM_BIAS, o->hidden_act);
    if (o->norms_responses) h = norm_responses(b, h);
    h = am_linear(b, o->names->down, h, C, AM_BIAS);
    if (o->scales) h = am_mul(b, h, am_parameter(b, o->names->scale, am_shape_of(C), h));
    return am_add(b, x, am_permute(b, h, am_shape_of(0, 3, 1, 2)));
}

static am_value stage(am_builder *b, am_value x, const convnext_config *c, int i)
{
    if (i > 0) {
        am_convolution_attributes halving = {.stride = am_shape_of(2, 2)};
        x = am_layer_norm_channels_first(b, "downsampling_layer.0", x, NORM_EPS);
        x = am_conv(b, "downsampling_layer.1", x, c->stages.hidden_sizes[i], am_shape_of(2, 2), AM_BIAS, &halving);
    }
    am_convnext_layer_options options = {.names = &names,
                                         .hidden_act = c->hidden_act,
                                         .layer_norm_eps = NORM_EPS,
                                         .norms_responses = c->family->norms_responses,
                                         .scales = c->layer_scale};
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        x = am_convnext_layer(b, x, &options);
        am_end_scope(b);
    }
    return x;
}

/* states: the 1 + count hidden states, [B, C, H, W], the stem's first. Returns the last. */
static am_value body(am_builder *b, const convnext_config *c, am_value *states)
{
    am_scope(b, "embeddings");
    am_value x = am_pixel_values(b, c->image.num_channels);
    x = am_patch_convolution(b, "patch_embeddings", x, c->stages.hidden_sizes[0], c->image.patch_size, AM_BIAS);
    states[0] = am_layer_norm_channels_first(b, "layernorm", x, NORM_EPS);
    am_end_scope(b);
    am_output_hidden_state(b, "hidden_states", 0, states[0]);
    for (int i = 0; i < c->stages.count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, states[i], c, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, states[i + 1]);
    }
    return states[c->stages.count];
}

static am_value pooled(am_builder *b, am_value x, const convnext_config *c)
{
    return am_layer_norm(b, "layernorm", am_image_mean(b, x, false), c->layer_norm_eps);
}

void am_convnext_model(am_builder *b)
{
    convnext_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1], x = body(b, &c, states);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", pooled(b, x, &c));
}

void am_convnext_for_image_classification(am_builder *b)
{
    convnext_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    am_scope(b, "%s", c.family->prefix);
    am_value x = pooled(b, body(b, &c, states), &c);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

void am_convnext_backbone(am_builder *b)
{
    convnext_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    bool wanted[AM_STAGES_LIMIT + 1];
    char stage_name[32], norm[64], output[64];
    body(b, &c, states);
    am_backbone_stages(am_model_config(b), c.stages.count, wanted);
    for (int i = 0, map = 0; i <= c.stages.count; i++) {
        if (!wanted[i]) continue;
        snprintf(norm, sizeof norm, "hidden_states_norms.%s", am_stage_name(i, stage_name, sizeof stage_name));
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, am_layer_norm_channels_first(b, norm, states[i], NORM_EPS));
    }
}

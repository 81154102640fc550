/* PVT V2: PVT whose patches overlap, with a depthwise convolution within the mlp in place of positions; its linear
   attention pools keys and values to the same number for any image. transformers: models/pvt_v2/modeling_pvt_v2.py */
#include "models/blocks/pyramid.h"

#include <stdio.h>

static const am_stages default_stages = {4, {2, 2, 2, 2}, {32, 64, 160, 256}};
static const am_pyramid_names names = {"query", "key", "value", "proj", "spatial_reduction", "layer_norm"};

typedef struct pvt_v2_config {
    int64_t num_channels;
    am_stages stages;
    int64_t ratios[AM_STAGES_LIMIT], patch_sizes[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT],
        mlp_ratios[AM_STAGES_LIMIT];
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool no_qkv_bias, linear_attention;
} pvt_v2_config;

static pvt_v2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    pvt_v2_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .stages = am_stages_read(c, &default_stages),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .no_qkv_bias = !am_config_flag(c, "qkv_bias", true),
        .linear_attention = am_config_flag(c, "linear_attention", false),
    };
    int count = r.stages.count;
    am_stage_sizes(c, "sr_ratios", count, 1, (const int64_t[]){8, 4, 2, 1}, 4, r.ratios);
    am_stage_sizes(c, "patch_sizes", count, 1, (const int64_t[]){7, 3, 3, 3}, 4, r.patch_sizes);
    am_stage_sizes(c, "strides", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.strides);
    am_stage_sizes(c, "num_attention_heads", count, 1, (const int64_t[]){1, 2, 5, 8}, 4, r.heads);
    am_stage_sizes(c, "mlp_ratios", count, 1, (const int64_t[]){8, 8, 4, 4}, 4, r.mlp_ratios);
    for (int i = 0; i < count; i++)
        am_config_check_divides(c, "num_attention_heads", r.heads[i], "hidden_sizes", r.stages.hidden_sizes[i]);
    if (am_config_count(c, "num_encoder_blocks", 4) != count)
        am_config_fail(c, "num_encoder_blocks", "expected as many as depths, %d", count);
    return r;
}

/* x: [B, C', H, W] -> [B, C, H', W'] */
static am_value stage(am_builder *b, am_value x, const pvt_v2_config *c, int i)
{
    int64_t C = c->stages.hidden_sizes[i], patch = c->patch_sizes[i];
    am_shape padding = am_shape_of(patch / 2, patch / 2);
    am_convolution_attributes overlapping = {
        .stride = am_shape_of(c->strides[i], c->strides[i]), .padding_before = padding, .padding_after = padding};
    am_pyramid_layer_options options = {
        .names = &names,
        .heads = c->heads[i],
        .reduction = c->ratios[i],
        .intermediate_size = am_scaled_size(am_model_config(b), "mlp_ratios", C, (double)c->mlp_ratios[i]),
        .layer_norm_eps = c->layer_norm_eps,
        .hidden_act = c->hidden_act,
        .no_qkv_bias = c->no_qkv_bias,
        .mixes = true,
        .pools = c->linear_attention};
    x = am_conv(b, "patch_embedding.proj", x, C, am_shape_of(patch, patch), AM_BIAS, &overlapping);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_layer_norm(b, "patch_embedding.layer_norm", am_image_tokens(b, x), c->layer_norm_eps);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "blocks.%d", j);
        x = am_pyramid_layer(b, x, size, &options);
        am_end_scope(b);
    }
    return am_tokens_image(b, am_layer_norm(b, "layer_norm", x, c->layer_norm_eps), size[0], size[1]);
}

/* states: what comes out of each stage. Returns the last. */
static am_value body(am_builder *b, const pvt_v2_config *c, const char *prefix, am_value *states)
{
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "%s", prefix);
    for (int i = 0; i < c->stages.count; i++) {
        am_scope(b, "encoder.layers.%d", i);
        x = states[i] = stage(b, x, c, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    return x;
}

static void pvt_v2_model(am_builder *b)
{
    pvt_v2_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT];
    am_output(b, "last_hidden_state", body(b, &c, "", states));
}

static void for_image_classification(am_builder *b)
{
    pvt_v2_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT], x = am_image_mean(b, body(b, &c, "pvt_v2", states), false);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void backbone(am_builder *b)
{
    pvt_v2_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT];
    bool wanted[AM_STAGES_LIMIT];
    char output[64];
    body(b, &c, "", states);
    am_backbone_stages_no_stem(am_model_config(b), c.stages.count, wanted);
    for (int i = 0, map = 0; i < c.stages.count; i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, states[i]);
    }
}

static const am_architecture architectures[] = {
    {"PvtV2Model", pvt_v2_model, "image-feature-extraction", 0},
    {"PvtV2ForImageClassification", for_image_classification, "image-classification", 0},
    {"PvtV2Backbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_pvt_v2 = {.name = "pvt_v2", .base_prefix = "pvt_v2", .architectures = architectures};

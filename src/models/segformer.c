/* SegFormer: stages of transformer layers over patches that overlap; keys and values are gathered from a coarser image,
   a depthwise convolution within the mlp stands for positions. Linears and one convolution over all stages make the
   segments. transformers: models/segformer/modeling_segformer.py */
#include "models/blocks/pyramid.h"

#include <stdio.h>

static const double LAYER_NORM_EPS = 1e-5, BATCH_NORM_EPS = 1e-5; /* layer_norm_eps is not read */
static const am_pyramid_names names = {"self.query",   "self.key", "self.value",
                                       "output.dense", "self.sr",  "self.layer_norm"};
static const am_stages default_stages = {4, {2, 2, 2, 2}, {32, 64, 160, 256}};

typedef struct segformer_config {
    int64_t num_channels;
    am_stages stages;
    int64_t sr_ratios[AM_STAGES_LIMIT], patch_sizes[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT],
        mlp_ratios[AM_STAGES_LIMIT];
    am_unary_fn hidden_act;
    int64_t decoder_hidden_size;
    bool reshape_last_stage;
    int64_t labels;
} segformer_config;

static segformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    segformer_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .stages = am_stages_read(c, &default_stages),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .decoder_hidden_size = am_config_size(c, "decoder_hidden_size", 256),
        .reshape_last_stage = am_config_flag(c, "reshape_last_stage", true),
        .labels = am_config_labels(c),
    };
    int count = r.stages.count;
    am_stage_sizes(c, "sr_ratios", count, 1, (const int64_t[]){8, 4, 2, 1}, 4, r.sr_ratios);
    am_stage_sizes(c, "patch_sizes", count, 1, (const int64_t[]){7, 3, 3, 3}, 4, r.patch_sizes);
    am_stage_sizes(c, "strides", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.strides);
    am_stage_sizes(c, "num_attention_heads", count, 1, (const int64_t[]){1, 2, 5, 8}, 4, r.heads);
    am_stage_sizes(c, "mlp_ratios", count, 1, (const int64_t[]){4, 4, 4, 4}, 4, r.mlp_ratios);
    for (int i = 0; i < count; i++)
        am_config_check_divides(c, "num_attention_heads", r.heads[i], "hidden_sizes", r.stages.hidden_sizes[i]);
    const char *blocks = am_config_either(c, "num_encoder_blocks", "num_hidden_layers");
    if (am_config_count(c, blocks, 4) != count) am_config_fail(c, blocks, "expected as many as depths, %d", count);
    return r;
}

static am_value layer(am_builder *b, am_value x, const segformer_config *c, const int64_t size[2], int i)
{
    int64_t C = am_dim(b, x, -1);
    am_pyramid_layer_options options = {
        .names = &names,
        .heads = c->heads[i],
        .reduction = c->sr_ratios[i],
        .intermediate_size = am_scaled_size(am_model_config(b), "mlp_ratios", C, (double)c->mlp_ratios[i]),
        .layer_norm_eps = LAYER_NORM_EPS,
        .hidden_act = c->hidden_act,
        .mixes = true};
    return am_pyramid_layer(b, x, size, &options);
}

/* x: [B, C', H, W] -> [B, C, H', W'], or of the last stage, unless reshape_last_stage, [B, H' * W', C] */
static am_value stage(am_builder *b, am_value x, const segformer_config *c, int i)
{
    int64_t patch = c->patch_sizes[i];
    am_shape stride = am_shape_of(c->strides[i], c->strides[i]), padding = am_shape_of(patch / 2, patch / 2);
    am_convolution_attributes options = {.stride = stride, .padding_before = padding, .padding_after = padding};
    char norm[32];
    snprintf(norm, sizeof norm, "layer_norm.%d", i);
    am_scope(b, "patch_embeddings.%d", i);
    x = am_conv(b, "proj", x, c->stages.hidden_sizes[i], am_shape_of(patch, patch), AM_BIAS, &options);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_layer_norm(b, "layer_norm", am_image_tokens(b, x), LAYER_NORM_EPS);
    am_end_scope(b);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "block.%d.%d", i, j);
        x = layer(b, x, c, size, i);
        am_end_scope(b);
    }
    x = am_layer_norm(b, norm, x, LAYER_NORM_EPS);
    return i < c->stages.count - 1 || c->reshape_last_stage ? am_tokens_image(b, x, size[0], size[1]) : x;
}

/* states: what comes out of each stage. Returns the last. */
static am_value body(am_builder *b, const segformer_config *c, const char *prefix, am_value *states)
{
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "%s", prefix);
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages.count; i++) {
        x = states[i] = stage(b, x, c, i);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static void segformer_model(am_builder *b)
{
    segformer_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT];
    am_output(b, "last_hidden_state", body(b, &c, "", states));
}

static void for_image_classification(am_builder *b)
{
    segformer_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT], x = body(b, &c, "segformer", states);
    x = c.reshape_last_stage ? am_image_mean(b, x, false) : am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

/* A stage's map in the decoder's width and the first one's size. */
static am_value project(am_builder *b, const segformer_config *c, am_value x, int i, const int64_t size[2])
{
    const int64_t own[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    am_scope(b, "linear_c.%d", i);
    x = am_linear(b, "proj", am_image_tokens(b, x), c->decoder_hidden_size, AM_BIAS);
    x = am_tokens_image(b, x, own[0], own[1]);
    am_end_scope(b);
    return am_image_resized(b, x, size[0], size[1]);
}

/* The last stage stands first among the channels that are fused. */
static void for_semantic_segmentation(am_builder *b)
{
    segformer_config c = read_config(b);
    am_convolution_attributes options = {0};
    am_value states[AM_STAGES_LIMIT], maps[AM_STAGES_LIMIT];
    if (!c.reshape_last_stage) {
        am_config_unsupported(am_model_config(b), "reshape_last_stage", "this class takes maps of all stages");
        return;
    }
    body(b, &c, "segformer", states);
    const int64_t size[] = {am_dim(b, states[0], 2), am_dim(b, states[0], 3)};
    am_scope(b, "decode_head");
    for (int i = 0; i < c.stages.count; i++) maps[c.stages.count - 1 - i] = project(b, &c, states[i], i, size);
    am_value x = am_concat(b, maps, c.stages.count, 1);
    x = am_conv(b, "linear_fuse", x, c.decoder_hidden_size, am_shape_of(1, 1), AM_NO_BIAS, &options);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "batch_norm", x, BATCH_NORM_EPS));
    x = am_conv(b, "classifier", x, c.labels, am_shape_of(1, 1), AM_BIAS, &options);
    am_end_scope(b);
    am_output(b, "logits", x);
}

static const am_architecture architectures[] = {
    {"SegformerModel", segformer_model, "image-feature-extraction", 0},
    {"SegformerForImageClassification", for_image_classification, "image-classification", 0},
    {"SegformerForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_segformer = {
    .name = "segformer", .base_prefix = "segformer", .architectures = architectures};

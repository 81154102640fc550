/* PVT: stages of transformer layers over ever fewer patches, with learned positions; keys and values are of a coarser
   image than queries, and the last stage has a class token. transformers: models/pvt/modeling_pvt.py */
#include "models/blocks/pyramid.h"

#include <inttypes.h>

static const am_stages default_stages = {4, {2, 2, 2, 2}, {64, 128, 320, 512}};
static const am_pyramid_names names = {
    "self.query", "self.key", "self.value", "output.dense", "self.sequence_reduction", "self.layer_norm"};

enum { PVT_LABELS = 1000 };

typedef struct pvt_config {
    int64_t num_channels, image_size;
    am_stages stages;
    int64_t ratios[AM_STAGES_LIMIT], patch_sizes[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT],
        mlp_ratios[AM_STAGES_LIMIT];
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool no_qkv_bias;
} pvt_config;

static pvt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    pvt_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .image_size = am_config_size(c, "image_size", 224),
        .stages = am_stages_read(c, &default_stages),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .no_qkv_bias = !am_config_flag(c, "qkv_bias", true),
    };
    int count = r.stages.count;
    am_stage_sizes(c, "sequence_reduction_ratios", count, 1, (const int64_t[]){8, 4, 2, 1}, 4, r.ratios);
    am_stage_sizes(c, "patch_sizes", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.patch_sizes);
    am_stage_sizes(c, "strides", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.strides);
    am_stage_sizes(c, "num_attention_heads", count, 1, (const int64_t[]){1, 2, 5, 8}, 4, r.heads);
    am_stage_sizes(c, "mlp_ratios", count, 1, (const int64_t[]){8, 8, 4, 4}, 4, r.mlp_ratios);
    for (int i = 0; i < count; i++)
        am_config_check_divides(c, "num_attention_heads", r.heads[i], "hidden_sizes", r.stages.hidden_sizes[i]);
    if (am_config_count(c, "num_encoder_blocks", 4) != count)
        am_config_fail(c, "num_encoder_blocks", "expected as many as depths, %d", count);
    if (r.ratios[count ? count - 1 : 0] != 1)
        am_config_unsupported(c, "sequence_reduction_ratios", "the last stage, which has a class token, takes 1");
    return r;
}

/* Patches of `strides` pixels, `patch_sizes` of them apart, which are the other way round in other models; size: how
   many in a column and in a row. */
static am_value embed(am_builder *b, am_value x, const pvt_config *c, int i, int64_t size[2])
{
    int64_t C = c->stages.hidden_sizes[i], kernel = c->strides[i], stride = c->patch_sizes[i],
            side = (i == 0 ? c->image_size : c->image_size >> (i + 1)) / stride, first = i == c->stages.count - 1;
    x = am_conv(b, "projection", x, C, am_shape_of(kernel, kernel), AM_BIAS,
                &(am_convolution_attributes){.stride = am_shape_of(stride, stride)});
    size[0] = am_dim(b, x, 2);
    size[1] = am_dim(b, x, 3);
    if (!am_builder_failed(b) && size[0] * size[1] != side * side)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "stage %d has %" PRId64 " patches, expected %" PRId64 " (image_size)", i + 1,
                                    size[0] * size[1], side * side));
    x = am_layer_norm(b, "layer_norm", am_image_tokens(b, x), c->layer_norm_eps);
    if (first) x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    return am_add(b, x, am_parameter(b, "position_embeddings", am_shape_of(1, first + side * side, C), x));
}

/* x: [B, C', H, W] -> [B, tokens, C]; counts hidden states. */
static am_value stage(am_builder *b, am_value x, const pvt_config *c, int i, int *states)
{
    int64_t size[2], C = c->stages.hidden_sizes[i];
    am_pyramid_layer_options options = {
        .names = &names,
        .heads = c->heads[i],
        .reduction = c->ratios[i],
        .intermediate_size = am_scaled_size(am_model_config(b), "mlp_ratios", C, (double)c->mlp_ratios[i]),
        .layer_norm_eps = c->layer_norm_eps,
        .hidden_act = c->hidden_act,
        .no_qkv_bias = c->no_qkv_bias};
    am_scope(b, "patch_embeddings.%d", i);
    x = embed(b, x, c, i, size);
    am_end_scope(b);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "block.%d.%d", i, j);
        x = am_pyramid_layer(b, x, size, &options);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", (*states)++, x);
    }
    return i < c->stages.count - 1 ? am_tokens_image(b, x, size[0], size[1]) : x;
}

/* Normed last hidden state: [B, 1 + N, C]. */
static am_value body(am_builder *b, const pvt_config *c, const char *prefix)
{
    int states = 0;
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "%s", prefix);
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages.count; i++) x = stage(b, x, c, i, &states);
    x = am_layer_norm(b, "layer_norm", x, c->layer_norm_eps);
    am_output_hidden_state(b, "hidden_states", states, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static void pvt_model(am_builder *b)
{
    pvt_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, ""));
}

static void for_image_classification(am_builder *b)
{
    const am_config *config = am_model_config(b);
    pvt_config c = read_config(b);
    bool says = am_config_has(config, "num_labels") || am_config_has(config, "id2label");
    am_value x = am_index(b, body(b, &c, "pvt"), 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", x, says ? am_config_labels(config) : PVT_LABELS, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"PvtModel", pvt_model, "image-feature-extraction", 0},
    {"PvtForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_pvt = {.name = "pvt", .base_prefix = "pvt", .architectures = architectures};

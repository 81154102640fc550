/* SwiftFormer: stages of convolutional layers, the last layer of each with attention in which one query, the weighted
   sum of all, multiplies every key. transformers: models/swiftformer/modeling_swiftformer.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

typedef struct swiftformer_config {
    int64_t num_channels;
    int stages;
    int64_t depths[AM_STAGES_LIMIT], widths[AM_STAGES_LIMIT];
    bool downsamples[AM_STAGES_LIMIT];
    int64_t patch[2], stride[2], padding[2];
    double mlp_ratio, batch_norm_eps;
    am_unary_fn hidden_act;
    bool layer_scale;
} swiftformer_config;

/* One number, or two. */
static void read_pair(const am_config *c, const char *key, int64_t fallback, int64_t least, int64_t out[2])
{
    out[0] = out[1] = fallback;
    if (am_json_kind_of(am_json_get(c->object, key)) == AM_JSON_ARRAY) {
        if (am_config_sizes(c, key, out, 2, NULL, 0) != 2) out[0] = 0;
    } else out[0] = out[1] = am_config_int(c, key, fallback);
    if (out[0] >= least && out[1] >= least && out[0] < 65536 && out[1] < 65536) return;
    am_config_fail(c, key, "expected a size, or height and width");
    out[0] = out[1] = fallback;
}

static swiftformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    swiftformer_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .batch_norm_eps = am_config_real(c, "batch_norm_eps", 1e-5),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_scale = am_config_flag(c, "use_layer_scale", true),
    };
    r.stages = am_stage_depths(c, (const int64_t[]){3, 3, 6, 4}, 4, r.depths);
    am_stage_sizes(c, "embed_dims", r.stages, 2, (const int64_t[]){48, 56, 112, 220}, 4, r.widths);
    am_config_flags(c, "downsamples", r.stages, true, r.downsamples);
    read_pair(c, "down_patch_size", 3, 1, r.patch);
    read_pair(c, "down_stride", 2, 1, r.stride);
    read_pair(c, "down_pad", 1, 0, r.padding);
    return r;
}

static am_value conv_1x1(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_conv(b, name, x, out, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
}

/* x: [B, C, H, W] plus the weight NAME times h. */
static am_value add_scaled(am_builder *b, am_value x, am_value h, const char *name)
{
    return am_add(b, x, am_mul(b, am_parameter(b, name, am_shape_of(am_dim(b, x, 1), 1, 1), h), h));
}

/* A depthwise convolution, then two over the channels, the first to `inner`; x is added. */
static am_value convolve(am_builder *b, am_value x, const swiftformer_config *c, int64_t inner)
{
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes depthwise = {
        .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1), .groups = C};
    am_value h = am_conv(b, "depth_wise_conv", x, C, am_shape_of(3, 3), AM_BIAS, &depthwise);
    h = am_batch_norm(b, "norm", h, c->batch_norm_eps);
    h = am_unary(b, AM_GELU, conv_1x1(b, "point_wise_conv1", h, inner));
    return add_scaled(b, x, conv_1x1(b, "point_wise_conv2", h, C), "layer_scale");
}

/* x: [B, T, C]. A token's weight is a softmax over the one number that it has, which is 1 whatever w_g says. */
static am_value attend(am_builder *b, am_value x)
{
    int64_t C = am_dim(b, x, -1);
    am_value query = am_unit_length(b, am_linear(b, "to_query", x, C, AM_BIAS), 1e-12),
             key = am_unit_length(b, am_linear(b, "to_key", x, C, AM_BIAS), 1e-12);
    am_value all = am_reduce(b, AM_REDUCE_SUM, query, am_shape_of(1), true);
    x = am_add(b, am_linear(b, "proj", am_mul(b, all, key), C, AM_BIAS), query);
    return am_linear(b, "final", x, C, AM_BIAS);
}

static am_value attention_layer(am_builder *b, am_value x, const swiftformer_config *c, int64_t inner)
{
    int64_t C = am_dim(b, x, 1), size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    am_scope(b, "local_representation");
    x = convolve(b, x, c, C);
    am_end_scope(b);
    am_scope(b, "attn");
    am_value h = am_tokens_image(b, attend(b, am_image_tokens(b, x)), size[0], size[1]);
    am_end_scope(b);
    x = c->layer_scale ? add_scaled(b, x, h, "layer_scale_1") : am_add(b, x, h);
    h = am_batch_norm(b, "linear.norm1", x, c->batch_norm_eps);
    h = am_unary(b, c->hidden_act, conv_1x1(b, "linear.fc1", h, inner));
    h = conv_1x1(b, "linear.fc2", h, C);
    return c->layer_scale ? add_scaled(b, x, h, "layer_scale_2") : am_add(b, x, h);
}

static am_value stage(am_builder *b, am_value x, const swiftformer_config *c, int i)
{
    int64_t inner = am_scaled_size(am_model_config(b), "mlp_ratio", c->widths[i], c->mlp_ratio);
    for (int j = 0; j < c->depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "blocks.%d", j);
        x = j == c->depths[i] - 1 ? attention_layer(b, x, c, inner) : convolve(b, x, c, inner);
        am_end_scope(b);
    }
    return x;
}

static am_value downsample(am_builder *b, am_value x, const swiftformer_config *c, int64_t out)
{
    am_convolution_attributes options = {.stride = am_shape_of(c->stride[0], c->stride[1]),
                                         .padding_before = am_shape_of(c->padding[0], c->padding[1]),
                                         .padding_after = am_shape_of(c->padding[0], c->padding[1])};
    x = am_conv(b, "proj", x, out, am_shape_of(c->patch[0], c->patch[1]), AM_BIAS, &options);
    return am_batch_norm(b, "norm", x, c->batch_norm_eps);
}

static am_value embed(am_builder *b, const swiftformer_config *c)
{
    am_shape one = am_shape_of(1, 1), kernel = am_shape_of(3, 3);
    am_convolution_attributes halving = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "patch_embed.patch_embedding");
    x = am_conv(b, "0", x, c->widths[0] / 2, kernel, AM_BIAS, &halving);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "1", x, c->batch_norm_eps));
    x = am_conv(b, "3", x, c->widths[0], kernel, AM_BIAS, &halving);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "4", x, c->batch_norm_eps));
    am_end_scope(b);
    return x;
}

/* [B, C, H, W] of the last stage. */
static am_value body(am_builder *b, const swiftformer_config *c, const char *prefix)
{
    int at = 0;
    am_scope(b, "%s", prefix);
    am_value x = embed(b, c);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c->stages; i++) {
        am_scope(b, "encoder.network.%d", at++);
        x = stage(b, x, c, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", at, x);
        if (i == c->stages - 1 || !(c->downsamples[i] || c->widths[i] != c->widths[i + 1])) continue;
        am_scope(b, "encoder.network.%d", at++);
        x = downsample(b, x, c, c->widths[i + 1]);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", at, x);
    }
    am_end_scope(b);
    return x;
}

static void swiftformer_model(am_builder *b)
{
    swiftformer_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, ""));
}

static void for_image_classification(am_builder *b)
{
    swiftformer_config c = read_config(b);
    int64_t labels = am_config_labels(am_model_config(b));
    am_value x = am_image_mean(b, am_batch_norm(b, "norm", body(b, &c, "swiftformer"), c.batch_norm_eps), false);
    am_value sum = am_add(b, am_linear(b, "head", x, labels, AM_BIAS), am_linear(b, "dist_head", x, labels, AM_BIAS));
    am_output(b, "logits", am_mul_number(b, sum, 0.5));
}

static const am_architecture architectures[] = {
    {"SwiftFormerModel", swiftformer_model, "image-feature-extraction", 0},
    {"SwiftFormerForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_swiftformer = {
    .name = "swiftformer", .base_prefix = "swiftformer", .architectures = architectures};

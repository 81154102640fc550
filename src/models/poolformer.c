/* PoolFormer: a transformer whose tokens mix by average pooling instead of attention; stages begin with patches that
   overlap. transformers: models/poolformer/modeling_poolformer.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

static const double GROUP_NORM_EPS = 1e-5; /* not configurable */
static const am_stages default_stages = {4, {2, 2, 6, 2}, {64, 128, 320, 512}};

typedef struct poolformer_config {
    int64_t num_channels, pool_size;
    am_stages stages;
    int64_t patch_sizes[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], padding[AM_STAGES_LIMIT];
    double mlp_ratio;
    am_unary_fn hidden_act;
    bool use_layer_scale;
    int64_t labels;
} poolformer_config;

static poolformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    poolformer_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .pool_size = am_config_size(c, "pool_size", 3),
        .stages = am_stages_read(c, &default_stages),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .use_layer_scale = am_config_flag(c, "use_layer_scale", true),
        .labels = am_config_labels(c),
    };
    int count = r.stages.count;
    am_stage_sizes(c, "patch_sizes", count, 1, (const int64_t[]){7, 3, 3, 3}, 4, r.patch_sizes);
    am_stage_sizes(c, "strides", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.strides);
    am_stage_sizes(c, "padding", count, 0, (const int64_t[]){2, 1, 1, 1}, 4, r.padding);
    if (am_config_count(c, "num_encoder_blocks", 4) != count)
        am_config_fail(c, "num_encoder_blocks", "expected as many as depths, %d", count);
    if (r.pool_size % 2 == 0)
        am_config_fail(c, "pool_size", "an even size gives other images than it takes, which are to be subtracted");
    return r;
}

/* x: [B, C, H, W]: the mean around each position (of those that there are) without it. */
static am_value pool(am_builder *b, am_value x, int64_t size)
{
    am_shape padding = am_shape_of(size / 2, size / 2);
    am_pool_attributes options = {.fn = AM_POOL_AVERAGE,
                                  .kernel = am_shape_of(size, size),
                                  .stride = am_shape_of(1, 1),
                                  .padding_before = padding,
                                  .padding_after = padding};
    return am_sub(b, am_pool(b, x, &options), x);
}

static am_value mlp(am_builder *b, am_value x, const poolformer_config *c)
{
    am_convolution_attributes options = {0};
    int64_t C = am_dim(b, x, 1), inner = am_scaled_size(am_model_config(b), "mlp_ratio", C, c->mlp_ratio);
    x = am_unary(b, c->hidden_act, am_conv(b, "output.conv1", x, inner, am_shape_of(1, 1), AM_BIAS, &options));
    return am_conv(b, "output.conv2", x, C, am_shape_of(1, 1), AM_BIAS, &options);
}

/* x + h, times a factor for each channel where there are factors. */
static am_value add_scaled(am_builder *b, am_value x, am_value h, const char *scale, const poolformer_config *c)
{
    int64_t C = am_dim(b, x, 1);
    if (c->use_layer_scale)
        h = am_mul(b, h, am_reshape(b, am_parameter(b, scale, am_shape_of(C), x), am_shape_of(C, 1, 1)));
    return am_add(b, x, h);
}

static am_value layer(am_builder *b, am_value x, const poolformer_config *c)
{
    am_value h = pool(b, am_group_norm(b, "before_norm", x, 1, GROUP_NORM_EPS), c->pool_size);
    x = add_scaled(b, x, h, "layer_scale_1", c);
    h = mlp(b, am_group_norm(b, "after_norm", x, 1, GROUP_NORM_EPS), c);
    return add_scaled(b, x, h, "layer_scale_2", c);
}

static am_value stage(am_builder *b, am_value x, const poolformer_config *c, int i)
{
    am_shape padding = am_shape_of(c->padding[i], c->padding[i]);
    am_convolution_attributes options = {
        .stride = am_shape_of(c->strides[i], c->strides[i]), .padding_before = padding, .padding_after = padding};
    am_scope(b, "patch_embeddings.%d", i);
    x = am_conv(b, "projection", x, c->stages.hidden_sizes[i], am_shape_of(c->patch_sizes[i], c->patch_sizes[i]),
                AM_BIAS, &options);
    am_end_scope(b);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "block.%d.%d", i, j);
        x = layer(b, x, c);
        am_end_scope(b);
    }
    return x;
}

/* [B, C, H, W] */
static am_value body(am_builder *b, const poolformer_config *c)
{
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages.count; i++) {
        x = stage(b, x, c, i);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    return x;
}

static void poolformer_model(am_builder *b)
{
    poolformer_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c));
}

static void for_image_classification(am_builder *b)
{
    poolformer_config c = read_config(b);
    am_scope(b, "poolformer");
    am_value x = body(b, &c);
    am_end_scope(b);
    x = am_image_mean(b, am_group_norm(b, "norm", x, 1, GROUP_NORM_EPS), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"PoolFormerModel", poolformer_model, "image-feature-extraction", 0},
    {"PoolFormerForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_poolformer = {
    .name = "poolformer", .base_prefix = "poolformer", .architectures = architectures};

/* CHMv2: how high trees stand, from feature maps of DINOv3 that DPT's layers fuse; each place is a mixture of bins of
   depth. transformers: models/chmv2/modeling_chmv2.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MIXLOG_SCALE = 8, MIXLOG_LARGEST_SHIFT = 1e-4, MIXLOG_SHIFT = 1e-8, MIXLOG_LEAST = 1e-12;

typedef struct chmv2_config {
    int count; /* of feature maps */
    int64_t channels[AM_STAGES_LIMIT], fusion_size, head_size, bins;
    double factors[AM_STAGES_LIMIT], least, largest;
    const char *readout, *bins_strategy, *norm_strategy;
} chmv2_config;

static bool is(const char *text, const char *other)
{
    return strcmp(text, other) == 0;
}

static chmv2_config read_config(am_builder *b)
{
    static const double factors[] = {4, 2, 1, 0.5};
    const am_config *c = am_model_config(b);
    chmv2_config r = {
        .fusion_size = am_config_size(c, "fusion_hidden_size", 256),
        .head_size = am_config_size(c, "head_hidden_size", 128),
        .bins = am_config_size(c, "number_output_channels", 256),
        .least = am_config_real(c, "min_depth", 0.001),
        .largest = am_config_real(c, "max_depth", 96),
        .readout = am_config_text(c, "readout_type", "project"),
        .bins_strategy = am_config_text(c, "bins_strategy", "chmv2_mixlog"),
        .norm_strategy = am_config_text(c, "norm_strategy", "chmv2_mixlog"),
    };
    r.count = am_config_sizes(c, "post_process_channels", r.channels, AM_STAGES_LIMIT,
                              (const int64_t[]){128, 256, 512, 1024}, 4);
    am_stage_sizes(c, "post_process_channels", r.count, 1, (const int64_t[]){128, 256, 512, 1024}, 4, r.channels);
    am_config_reals(c, "reassemble_factors", r.count, 1, r.factors);
    if (!am_config_has(c, "reassemble_factors") && r.count == 4) memcpy(r.factors, factors, sizeof factors);
    for (int i = 0; i < r.count; i++)
        if (!(r.factors[i] >= 1.0 / 64 && r.factors[i] <= 64) ||
            (r.factors[i] > 1 && r.factors[i] != trunc(r.factors[i]))) {
            am_config_fail(c, "reassemble_factors", "element %d is %g", i, r.factors[i]);
            r.factors[i] = 1;
        }
    if (r.count == 0) am_config_fail(c, "post_process_channels", "expected a feature map or more");
    if (r.fusion_size < 2) am_config_fail(c, "fusion_hidden_size", "half of it is nothing");
    if (!is(r.bins_strategy, "linear") && !(r.least > 0)) am_config_fail(c, "min_depth", "expected a depth above 0");
    if (!(r.largest > 0)) am_config_fail(c, "max_depth", "expected a depth above 0");
    return r;
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride, int bias)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding};
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), bias, &options);
}

/* The map x: [B, C, H, W] with what its class token, [B, C], says. */
static am_value read_out(am_builder *b, am_value x, am_value token, const chmv2_config *c, int i)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    char name[64];
    if (is(c->readout, "add")) return am_add(b, x, am_reshape(b, token, am_shape_of(B, C, 1, 1)));
    if (!is(c->readout, "project")) return x;
    snprintf(name, sizeof name, "reassemble_stage.readout_projects.%d.0", i);
    x = am_image_tokens(b, x);
    token = am_broadcast(b, am_unsqueeze(b, token, 1), am_shape_of_value(b, x));
    x = am_linear_activation(b, name, am_concat2(b, x, token, 2), C, AM_BIAS, AM_GELU);
    return am_tokens_image(b, x, H, W);
}

static am_value reassemble(am_builder *b, am_value x, const chmv2_config *c, int i)
{
    int64_t C = c->channels[i], factor = (int64_t)c->factors[i];
    am_scope(b, "reassemble_stage.layers.%d", i);
    x = conv(b, "projection", x, C, 1, 1, AM_BIAS);
    if (c->factors[i] > 1) {
        am_value weight = am_weight(b, "resize.weight", am_shape_of(C, C, factor, factor)),
                 bias = am_weight(b, "resize.bias", am_shape_of(C));
        x = am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(factor, factor)});
    } else if (c->factors[i] < 1) x = conv(b, "resize", x, C, 3, (int64_t)(1 / c->factors[i]), AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value residual(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "%s", name);
    am_value h = conv(b, "convolution1", am_unary(b, AM_RELU, x), C, 3, 1, AM_BIAS);
    h = conv(b, "convolution2", am_unary(b, AM_RELU, h), C, 3, 1, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value doubled(am_builder *b, am_value x)
{
    return am_resize(b, x,
                     &(am_resize_attributes){.size = am_shape_of(2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3)),
                                             .mode = AM_RESIZE_LINEAR,
                                             .align_corners = true});
}

/* maps: the finest first; the coarsest is fused first. */
static am_value fuse(am_builder *b, const am_value *maps, const chmv2_config *c)
{
    am_value x = maps[c->count - 1];
    for (int i = 0; i < c->count; i++) {
        am_scope(b, "fusion_layers.%d", i);
        if (i > 0) {
            am_value finer = am_image_resized(b, maps[c->count - 1 - i], am_dim(b, x, 2), am_dim(b, x, 3));
            x = am_add(b, x, residual(b, "residual_layer1", finer));
        }
        x = conv(b, "projection", doubled(b, residual(b, "residual_layer2", x)), c->fusion_size, 1, 1, AM_BIAS);
        am_end_scope(b);
    }
    return x;
}

static am_value head(am_builder *b, const am_part_outputs *backbone, const chmv2_config *c)
{
    am_value maps[AM_STAGES_LIMIT];
    char name[64];
    am_scope(b, "head");
    for (int i = 0; i < c->count; i++) {
        snprintf(name, sizeof name, "feature_maps.%d", i);
        am_value map = am_part_output(backbone, name);
        snprintf(name, sizeof name, "cls_tokens.%d", i);
        am_value token = am_part_output(backbone, name);
        if (!am_builder_failed(b) && (!map.id || !token.id || am_rank(b, map) != 4)) {
            am_config_fail(am_model_config(b), "backbone_config", "gives no map and class token for %s", name);
            break;
        }
        maps[i] = reassemble(b, read_out(b, map, token, c, i), c, i);
        snprintf(name, sizeof name, "convs.%d", i);
        maps[i] = conv(b, name, maps[i], c->fusion_size, 3, 1, AM_NO_BIAS);
    }
    am_value x = am_builder_failed(b) ? AM_NONE : fuse(b, maps, c);
    am_scope(b, "conv_depth.head");
    x = doubled(b, conv(b, "0", x, c->fusion_size / 2, 3, 1, AM_BIAS));
    x = am_unary(b, AM_RELU, conv(b, "2", x, c->head_size, 3, 1, AM_BIAS));
    x = conv(b, "4", x, c->bins, 1, 1, AM_BIAS);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* The depth of each bin: [1, bins, 1, 1]. */
static am_value depths_of(am_builder *b, const chmv2_config *c)
{
    bool mixes = !is(c->bins_strategy, "linear") && !is(c->bins_strategy, "log");
    double largest = mixes ? c->largest / MIXLOG_SCALE : c->largest;
    am_shape shape = am_shape_of(1, c->bins, 1, 1);
    float *table = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)c->bins, sizeof *table) : NULL;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < c->bins; i++) {
        double part = (double)i / (double)(c->bins - 1), linear = c->least + (largest - c->least) * part,
               logarithmic =
                   is(c->bins_strategy, "linear") ? 0 : exp(log(c->least) + (log(largest) - log(c->least)) * part);
        table[i] = (float)(mixes                            ? (1 - part) * logarithmic + part * linear
                           : is(c->bins_strategy, "linear") ? linear
                                                            : logarithmic);
    }
    return am_constant_copy(b, AM_F32, shape, table);
}

static am_value shares(am_builder *b, am_value x)
{
    return am_div(b, x, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true));
}

/* x: [B, bins, H, W] as depths weighed by what each bin has: [B, H, W]. */
static am_value mixed(am_builder *b, am_value x, const chmv2_config *c)
{
    am_value bins = depths_of(b, c);
    if (is(c->norm_strategy, "linear")) x = shares(b, am_add_number(b, am_unary(b, AM_RELU, x), 0.1));
    else if (is(c->norm_strategy, "softmax")) x = am_softmax(b, x, 1);
    else if (is(c->norm_strategy, "sigmoid")) x = shares(b, am_unary(b, AM_SIGMOID, x));
    else {
        am_value logits = am_unary(b, AM_RELU, x), shift = am_reduce(b, AM_REDUCE_MIN, logits, am_shape_of(1), true);
        shift = am_binary_number(b, AM_MAX, am_unary(b, AM_NEG, shift), 0);
        shift = am_add_number(b, am_binary_number(b, AM_MIN, shift, MIXLOG_LARGEST_SHIFT), MIXLOG_SHIFT);
        logits = am_add(b, logits, shift);
        am_value sum = am_reduce(b, AM_REDUCE_SUM, logits, am_shape_of(1), true);
        x = am_div(b, logits, am_binary_number(b, AM_MAX, sum, MIXLOG_LEAST));
        bins = am_binary_number(b, AM_MAX, bins, MIXLOG_LEAST);
        x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, bins), am_shape_of(1), false);
        return am_mul_number(b, am_binary_number(b, AM_MAX, x, MIXLOG_LEAST), MIXLOG_SCALE);
    }
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, bins), am_shape_of(1), false);
}

static void for_depth_estimation(am_builder *b)
{
    const am_config *config = am_model_config(b);
    am_config backbone_config = am_config_child(config, "backbone_config");
    chmv2_config c = read_config(b);
    am_part part = {.auto_class = "AutoBackbone", .model_type = "dinov3_vit", .config = &backbone_config};
    if (!am_config_has(config, "backbone_config"))
        am_config_unsupported(config, "backbone_config", "a configuration without one");
    if (am_builder_failed(b)) return;
    am_scope(b, "backbone");
    am_part_outputs backbone = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &backbone, "hidden_states", "hidden_states");
    am_value x = head(b, &backbone, &c);
    if (am_builder_failed(b)) return;
    x = c.bins > 1 ? mixed(b, x, &c) : am_squeeze(b, am_add_number(b, am_unary(b, AM_RELU, x), c.least), 1);
    am_output(b, "predicted_depth", x);
}

static const am_architecture architectures[] = {
    {"CHMv2ForDepthEstimation", for_depth_estimation, "depth-estimation", 0},
    {0},
};

const am_model_type am_model_chmv2 = {.name = "chmv2", .base_prefix = "chmv2", .architectures = architectures};

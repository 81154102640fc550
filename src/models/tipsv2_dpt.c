/* TIPSv2 with heads for depths, normals of surfaces and segments: tokens of several layers become maps, which are fused
   from the coarsest to the finest. Weights have the names that the first implementation gave them. transformers:
   models/tipsv2_dpt/modeling_tipsv2_dpt.py */
#include "models/blocks/dpt_neck.h"

#include <stdio.h>

typedef struct dpt_config {
    int count; /* of maps */
    int64_t neck_sizes[AM_STAGES_LIMIT], fusion_size, C, registers, patch[2], bins, labels;
    double factors[AM_STAGES_LIMIT], min_depth, max_depth;
    am_unary_fn readout, depth_act;
} dpt_config;

static void read_neck(const am_config *c, dpt_config *r)
{
    static const double factors[] = {4, 2, 1, 0.5};
    r->count = am_config_sizes(c, "neck_hidden_sizes", r->neck_sizes, AM_STAGES_LIMIT,
                               (const int64_t[]){96, 192, 384, 768}, 4);
    for (int i = 0; i < r->count; i++) {
        r->factors[i] = i < 4 ? factors[i] : 1;
        if (r->neck_sizes[i] < 1) am_config_fail(c, "neck_hidden_sizes", "element %d is 0", i);
    }
    if (r->count < 1) am_config_fail(c, "neck_hidden_sizes", "the list is empty");
    if (am_config_has(c, "reassemble_factors")) am_config_reals(c, "reassemble_factors", r->count, 1, r->factors);
    for (int i = 0; i < r->count; i++)
        if (!(r->factors[i] >= 1.0 / 1024 && r->factors[i] <= 1024) ||
            (r->factors[i] > 1 && r->factors[i] != (double)(int64_t)r->factors[i]))
            am_config_fail(c, "reassemble_factors", "element %d is %g, neither whole nor less than 1", i,
                           r->factors[i]);
}

static dpt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config backbone = am_config_child(c, "backbone_config");
    dpt_config r = {
        .fusion_size = am_config_size(c, "fusion_hidden_size", 256),
        .C = am_config_size(&backbone, "hidden_size", 768),
        .registers = am_config_count(&backbone, "num_register_tokens", 1),
        .bins = am_config_size(c, "num_depth_bins", 256),
        .labels = am_config_labels(c),
        .min_depth = am_config_real(c, "min_depth", 1e-3),
        .max_depth = am_config_real(c, "max_depth", 10),
        .readout = am_config_activation(c, "readout_activation", AM_GELU_TANH),
        .depth_act = am_config_activation(c, "depth_decoder_activation", AM_RELU),
    };
    am_config_pair(&backbone, "patch_size", 14, r.patch);
    if (!am_config_has(c, "backbone_config"))
        am_config_unsupported(c, "backbone_config", "a default is not known for it");
    read_neck(c, &r);
    return r;
}

typedef struct image {
    am_feature_maps found; /* tokens of layers: [B, T, C] */
    int64_t rows, columns;
} image;

static image read_image(am_builder *b, const dpt_config *c)
{
    am_config backbone = am_config_child(am_model_config(b), "backbone_config");
    am_value pixels = am_input(b, "pixel_values", 4);
    image r = {.rows = am_dim(b, pixels, 2) / c->patch[0], .columns = am_dim(b, pixels, 3) / c->patch[1]};
    am_scope(b, "vision_encoder");
    r.found = am_backbone_maps_of(b, &backbone, c->count, c->count);
    am_end_scope(b);
    for (int i = 0; i < r.found.count && !am_builder_failed(b); i++)
        if (am_rank(b, r.found.maps[i]) != 3)
            am_config_fail(&backbone, "reshape_hidden_states", "expected false: tokens of the layers are read");
    return r;
}

/* --- the neck --- */

/* A map of tokens x: [B, T, C] of a layer, each with the class token beside it: [B, neck_size, h, w]. */
static am_value reassemble(am_builder *b, const dpt_config *c, const image *in, am_value x, int i)
{
    char name[48];
    int64_t size = c->neck_sizes[i], factor = (int64_t)c->factors[i];
    am_value patches = am_slice(b, x, 1, 1 + c->registers, AM_SLICE_END);
    am_value first = am_broadcast(b, am_slice(b, x, 1, 0, 1), am_shape_of_value(b, patches));
    snprintf(name, sizeof name, "readout_projects.%d", i);
    x = am_linear_activation(b, name, am_concat2(b, patches, first, 2), c->C, AM_BIAS, c->readout);
    snprintf(name, sizeof name, "out_projections.%d", i);
    x = am_same_conv(b, name, am_tokens_image(b, x, in->rows, in->columns), size, 1);
    snprintf(name, sizeof name, "resize_layers.%d", i);
    if (c->factors[i] == 1) return x;
    if (c->factors[i] < 1) {
        int64_t stride = (int64_t)(1 / c->factors[i]);
        am_shape one = am_shape_of(1, 1);
        am_convolution_attributes options = {
            .stride = am_shape_of(stride, stride), .padding_before = one, .padding_after = one};
        return am_conv(b, name, x, size, am_shape_of(3, 3), AM_BIAS, &options);
    }
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(size, size, factor, factor)),
             bias = am_weight(b, "bias", am_shape_of(size));
    x = am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(factor, factor)});
    am_end_scope(b);
    return x;
}

static am_value plain_conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.padding_before = one, .padding_after = one};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_NO_BIAS, &options);
}

/* x and two convolutions of it, each behind a ReLU. */
static am_value residual_unit(am_builder *b, const char *name, am_value x, int64_t C)
{
    am_scope(b, "%s", name);
    am_value h = plain_conv(b, "conv1", am_unary(b, AM_RELU, x), C);
    x = am_add(b, x, plain_conv(b, "conv2", am_unary(b, AM_RELU, h), C));
    am_end_scope(b);
    return x;
}

/* The fused map so far, or AM_NONE, with the next finer one, in twice the size. */
static am_value fuse(am_builder *b, const dpt_config *c, am_value fused, am_value map)
{
    if (fused.id) {
        int64_t h = am_dim(b, fused, 2), w = am_dim(b, fused, 3);
        if (am_dim(b, map, 2) != h || am_dim(b, map, 3) != w) map = am_image_resized(b, map, h, w);
        fused = am_add(b, fused, residual_unit(b, "residual_unit", map, c->fusion_size));
    } else {
        fused = map;
    }
    fused = residual_unit(b, "main_unit", fused, c->fusion_size);
    fused = am_resize_corners(b, fused, 2 * am_dim(b, fused, 2), 2 * am_dim(b, fused, 3));
    return am_same_conv(b, "out_conv", fused, c->fusion_size, 1);
}

/* What the head NAME says of each place: [B, out, H, W]. */
static am_value run_head(am_builder *b, const dpt_config *c, const image *in, const char *name, int64_t out,
                         am_unary_fn act)
{
    am_value maps[AM_STAGES_LIMIT], x = AM_NONE;
    char conv[32];
    am_scope(b, "%s", name);
    for (int i = 0; i < c->count && !am_builder_failed(b); i++) {
        am_scope(b, "reassemble");
        maps[i] = reassemble(b, c, in, in->found.maps[i], i);
        am_end_scope(b);
        snprintf(conv, sizeof conv, "convs.%d", i);
        maps[i] = plain_conv(b, conv, maps[i], c->fusion_size);
    }
    for (int i = 0; i < c->count && !am_builder_failed(b); i++) {
        am_scope(b, "fusion_blocks.%d", i);
        x = fuse(b, c, x, maps[c->count - 1 - i]);
        am_end_scope(b);
    }
    x = am_permute(b, am_unary(b, act, am_same_conv(b, "project", x, c->fusion_size, 3)), am_shape_of(0, 2, 3, 1));
    x = am_permute(b, am_linear(b, name, x, out, AM_BIAS), am_shape_of(0, 3, 1, 2));
    am_end_scope(b);
    return x;
}

/* --- classes --- */

/* Depths as means of evenly spaced ones: [B, H, W]. */
static am_value depths(am_builder *b, const dpt_config *c, const image *in)
{
    am_value x = run_head(b, c, in, "depth_head", c->bins, c->depth_act);
    double step = c->bins > 1 ? (c->max_depth - c->min_depth) / (double)(c->bins - 1) : 0;
    am_value centres = am_iota(b, AM_F32, am_shape_of(1, c->bins, 1, 1), 1, c->min_depth, step);
    x = am_add_number(b, am_unary(b, AM_RELU, x), c->min_depth);
    x = am_div(b, x, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true));
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, centres), am_shape_of(1), false);
}

static am_value normals(am_builder *b, const dpt_config *c, const image *in)
{
    return run_head(b, c, in, "normals_head", 3, AM_IDENTITY);
}

static am_value segments(am_builder *b, const dpt_config *c, const image *in)
{
    return run_head(b, c, in, "segmentation_head", c->labels, AM_IDENTITY);
}

/* The outputs that are not null; hidden states are the backbone's. */
static void predict(am_builder *b, const char *depth, const char *normal, const char *segment)
{
    dpt_config c = read_config(b);
    image in = read_image(b, &c);
    if (am_builder_failed(b)) return;
    if (depth) am_output(b, depth, depths(b, &c, &in));
    if (normal) am_output(b, normal, normals(b, &c, &in));
    if (segment) am_output(b, segment, segments(b, &c, &in));
    if (am_wants_hidden_states(b)) am_output_part_list(b, &in.found.outputs, "hidden_states", "hidden_states");
}

static void for_dense_prediction(am_builder *b)
{
    predict(b, "predicted_depth", "normals", "segmentation_logits");
}

static void for_depth_estimation(am_builder *b)
{
    predict(b, "predicted_depth", NULL, NULL);
}

static void for_normal_estimation(am_builder *b)
{
    predict(b, NULL, "normals", NULL);
}

static void for_semantic_segmentation(am_builder *b)
{
    predict(b, NULL, NULL, "logits");
}

static const am_architecture architectures[] = {
    {"Tipsv2DptForDensePrediction", for_dense_prediction, NULL, 0},
    {"Tipsv2DptForDepthEstimation", for_depth_estimation, NULL, 0},
    {"Tipsv2DptForNormalEstimation", for_normal_estimation, NULL, 0},
    {"Tipsv2DptForSemanticSegmentation", for_semantic_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_tipsv2_dpt = {
    .name = "tipsv2_dpt", .base_prefix = "backbone", .architectures = architectures};

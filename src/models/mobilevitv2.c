/* MobileViT V2: MobileViT with attention of one score a token: the keys' weighted sum multiplies every value.
   transformers: models/mobilevitv2/modeling_mobilevitv2.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/deeplab.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

enum { STAGES = 5, FIRST_TRANSFORMER = 2, TRANSFORMERS = 3 };

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

typedef struct mobilevitv2_config {
    int64_t num_channels, patch_size, conv_kernel_size, output_stride, labels;
    int64_t stem, widths[STAGES], units[TRANSFORMERS], blocks[TRANSFORMERS];
    double expand_ratio, ffn_multiplier, layer_norm_eps;
    am_unary_fn hidden_act;
    am_deeplab head;
} mobilevitv2_config;

static void read_widths(const am_config *c, mobilevitv2_config *r)
{
    static const double widths[STAGES] = {64, 128, 256, 384, 512};
    int64_t units[AM_STAGES_LIMIT], blocks[AM_STAGES_LIMIT];
    double times = am_config_factor(c, "width_multiplier", 1), stem = 32 * times;
    r->stem = am_round_channels(stem < 16 ? 16 : stem > 64 ? 64 : stem, 8, 16);
    for (int i = 0; i < STAGES; i++) r->widths[i] = am_round_channels(widths[i] * times, i ? 8 : 16, i ? 8 : 16);
    am_stage_sizes(c, "base_attn_unit_dims", TRANSFORMERS, 1, (const int64_t[]){128, 192, 256}, 3, units);
    am_stage_sizes(c, "n_attn_blocks", TRANSFORMERS, 0, (const int64_t[]){2, 4, 3}, 3, blocks);
    for (int i = 0; i < TRANSFORMERS; i++) {
        r->units[i] = am_round_channels((double)units[i] * times, 8, 8);
        r->blocks[i] = blocks[i];
        if (blocks[i] <= 65536) continue;
        am_config_fail(c, "n_attn_blocks", "%" PRId64 " layers", blocks[i]);
        r->blocks[i] = 0;
    }
}

static mobilevitv2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    mobilevitv2_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 2),
        .conv_kernel_size = am_config_size(c, "conv_kernel_size", 3),
        .output_stride = am_config_size(c, "output_stride", 32),
        .labels = am_config_labels(c),
        .expand_ratio = am_config_factor(c, "expand_ratio", 2),
        .ffn_multiplier = am_config_factor(c, "ffn_multiplier", 2),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .head = am_deeplab_read(c, 512),
    };
    read_widths(c, &r);
    return r;
}

/* An inverted residual under the scope. */
static am_value inverted(am_builder *b, am_value x, const mobilevitv2_config *c, int64_t out, int64_t stride,
                         int64_t dilation)
{
    am_normed_conv_options options = {
        .out = out, .stride = stride, .dilation = dilation, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    double expanded = nearbyint((double)am_dim(b, x, 1) * c->expand_ratio); /* half to even, as Python rounds */
    return am_inverted_residual(b, x, am_round_channels(expanded, 8, 8), &options);
}

static am_value mobilenet_stage(am_builder *b, am_value x, const mobilevitv2_config *c, int i)
{
    for (int j = 0; j <= i; j++) {
        am_scope(b, "layer.%d", j);
        x = inverted(b, x, c, c->widths[i], i > 0 && j == 0 ? 2 : 1, 1);
        am_end_scope(b);
    }
    return x;
}

static am_value conv_1x1(am_builder *b, const char *name, am_value x, int64_t out, int bias)
{
    return am_conv(b, name, x, out, am_shape_of(1, 1), bias, &(am_convolution_attributes){0});
}

/* x: [B, C, places within a patch, patches] */
static am_value attend(am_builder *b, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "attention");
    am_value qkv = conv_1x1(b, "qkv_proj.convolution", x, 1 + 2 * C, AM_BIAS);
    am_value scores = am_softmax(b, am_slice(b, qkv, 1, 0, 1), -1), key = am_slice(b, qkv, 1, 1, 1 + C),
             value = am_slice(b, qkv, 1, 1 + C, 1 + 2 * C);
    am_value sum = am_reduce_last(b, AM_REDUCE_SUM, am_mul(b, key, scores));
    x = conv_1x1(b, "out_proj.convolution", am_mul(b, am_unary(b, AM_RELU, value), sum), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const mobilevitv2_config *c)
{
    int64_t C = am_dim(b, x, 1), inner = (int64_t)((double)C * c->ffn_multiplier / 16) * 16;
    if (inner < 1) am_config_fail(am_model_config(b), "ffn_multiplier", "leaves nothing of %" PRId64 " channels", C);
    x = am_add(b, x, attend(b, am_group_norm(b, "layernorm_before", x, 1, c->layer_norm_eps)));
    am_value h = am_group_norm(b, "layernorm_after", x, 1, c->layer_norm_eps);
    h = am_unary(b, c->hidden_act, conv_1x1(b, "ffn.conv1.convolution", h, inner, AM_BIAS));
    return am_add(b, x, conv_1x1(b, "ffn.conv2.convolution", h, C, AM_BIAS));
}

/* x: [B, C, H, W] through transformer i. What is left beside whole patches becomes zeros. */
static am_value transform(am_builder *b, am_value x, const mobilevitv2_config *c, int i)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3), p = c->patch_size;
    am_unfold_attributes patches = {
        .kernel = am_shape_of(p, p), .stride = am_shape_of(p, p), .output = am_shape_of(H, W)};
    x = am_unfold(b, x, &patches);
    int64_t count = am_dim(b, x, 2);
    x = am_reshape(b, x, am_shape_of(B, C, p * p, count));
    for (int j = 0; j < c->blocks[i] && !am_builder_failed(b); j++) {
        am_scope(b, "transformer.layer.%d", j);
        x = layer(b, x, c);
        am_end_scope(b);
    }
    x = am_group_norm(b, "layernorm", x, 1, c->layer_norm_eps);
    return am_fold(b, am_reshape(b, x, am_shape_of(B, C * p * p, count)), &patches);
}

/* dilation: 1, or how far apart kernels reach since the image no longer shrinks. */
static am_value transformer_stage(am_builder *b, am_value x, const mobilevitv2_config *c, int i, int64_t dilation)
{
    int64_t C = c->widths[i], n = i - FIRST_TRANSFORMER;
    am_normed_conv_options around = {
        .out = C, .kernel = c->conv_kernel_size, .groups = C, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    am_normed_conv_options back = {.out = C, .kernel = 1, .eps = BATCH_NORM_EPS};
    am_scope(b, "downsampling_layer");
    x = inverted(b, x, c, C, dilation == 1 ? 2 : 1, dilation == 1 ? 1 : dilation / 2);
    am_end_scope(b);
    x = am_normed_conv(b, "conv_kxk", x, &around);
    x = transform(b, conv_1x1(b, "conv_1x1.convolution", x, c->units[n], AM_NO_BIAS), c, (int)n);
    return am_normed_conv(b, "conv_projection", x, &back);
}

/* What the last stage gives: [B, C, H, W]. */
static am_value body(am_builder *b, const mobilevitv2_config *c, const char *prefix)
{
    int64_t stride = c->output_stride;
    const int64_t dilations[] = {1, 1, 1, stride == 8 ? 2 : 1, stride == 8 ? 4 : stride == 16 ? 2 : 1};
    am_normed_conv_options stem = {
        .out = c->stem, .kernel = 3, .stride = 2, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "%s", prefix);
    x = am_normed_conv(b, "conv_stem", x, &stem);
    for (int i = 0; i < STAGES; i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = i < FIRST_TRANSFORMER ? mobilenet_stage(b, x, c, i) : transformer_stage(b, x, c, i, dilations[i]);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    return x;
}

static void mobilevitv2_model(am_builder *b)
{
    mobilevitv2_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, false));
}

static void for_image_classification(am_builder *b)
{
    mobilevitv2_config c = read_config(b);
    am_value x = am_image_mean(b, body(b, &c, "mobilevitv2"), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

static void for_semantic_segmentation(am_builder *b)
{
    mobilevitv2_config c = read_config(b);
    am_output(b, "logits", am_deeplab_head(b, body(b, &c, "mobilevitv2"), &c.head));
}

static const am_architecture architectures[] = {
    {"MobileViTV2Model", mobilevitv2_model, "image-feature-extraction", 0},
    {"MobileViTV2ForImageClassification", for_image_classification, "image-classification", 0},
    {"MobileViTV2ForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_mobilevitv2 = {
    .name = "mobilevitv2", .base_prefix = "mobilevitv2", .architectures = architectures};

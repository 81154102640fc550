/* BiT (Big Transfer): ResNet with group norms and convolutions whose weights are normed, norms standing before the
   convolutions unless layer_type says otherwise. transformers: models/bit/modeling_bit.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <string.h>

enum { REDUCTION = 4, WIDTH_MULTIPLE = 8, STEM_KERNEL = 7, STEM_SHRINKS = 4 };

static const double GROUP_NORM_EPS = 1e-5, WEIGHT_EPS = 1e-8; /* not configurable */
static const am_stages default_stages = {4, {3, 4, 6, 3}, {256, 512, 1024, 2048}};

typedef struct bit_config {
    int64_t num_channels, embedding_size, num_groups, output_stride, width_factor;
    am_stages stages;
    bool preactivation, same_padding, embedding_dynamic_padding;
    am_unary_fn hidden_act;
    int64_t labels;
} bit_config;

static void check_choices(const am_config *c)
{
    const char *type = am_config_text(c, "layer_type", "preactivation");
    if (strcmp(type, "preactivation") != 0 && strcmp(type, "bottleneck") != 0)
        am_config_fail(c, "layer_type", "expected \"preactivation\" or \"bottleneck\", found \"%s\"", type);
    const char *padding = am_config_text(c, "global_padding", NULL);
    if (!padding || strcmp(padding, "SAME") == 0 || strcmp(padding, "same") == 0) return;
    am_config_unsupported(c, "global_padding", "expected null or \"SAME\", found \"%s\"", padding);
}

static bit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    check_choices(c);
    return (bit_config){
        .num_channels = am_config_size(c, "num_channels", 3),
        .embedding_size = am_config_size(c, "embedding_size", 64),
        .num_groups = am_config_size(c, "num_groups", 32),
        .output_stride = am_config_size(c, "output_stride", 32),
        .width_factor = am_config_size(c, "width_factor", 1),
        .stages = am_stages_read(c, &default_stages),
        .preactivation = !am_config_is(c, "layer_type", "bottleneck"),
        .same_padding = am_config_has(c, "global_padding"),
        .embedding_dynamic_padding = am_config_flag(c, "embedding_dynamic_padding", false),
        .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
        .labels = am_config_labels(c),
    };
}

/* TensorFlow's padding of `size` elements: as much as `stride` asks for, more of it at the end. */
static void same_padding(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t *before,
                         int64_t *after)
{
    int64_t all = ((size + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - size;
    if (all < 0) all = 0;
    *before = all / 2;
    *after = all - all / 2;
}

typedef struct kernel_shape {
    int64_t size, stride, dilation;
} kernel_shape;

/* Convolution with the weight NAME.weight, which is normed for each output channel: x: [B, C, H, W]. */
static am_value convolve(am_builder *b, const char *name, am_value x, const bit_config *c, int64_t out, kernel_shape k)
{
    int64_t in = am_dim(b, x, 1), before[2], after[2];
    am_shape shape = am_shape_of(out, in, k.size, k.size);
    for (int i = 0; i < 2; i++) {
        before[i] = after[i] = (k.stride - 1 + k.dilation * (k.size - 1)) / 2;
        if (c->same_padding) same_padding(am_dim(b, x, 2 + i), k.size, k.stride, k.dilation, &before[i], &after[i]);
    }
    am_convolution_attributes options = {.stride = am_shape_of(k.stride, k.stride),
                                         .dilation = am_shape_of(k.dilation, k.dilation),
                                         .padding_before = am_shape_of(before[0], before[1]),
                                         .padding_after = am_shape_of(after[0], after[1])};
    am_norm_attributes standardized = {.kind = AM_NORM_LAYER, .eps = WEIGHT_EPS};
    am_scope(b, "%s", name);
    am_value weight = am_reshape(b, am_parameter(b, "weight", shape, x), am_shape_of(out, in * k.size * k.size));
    weight = am_norm_op(b, weight, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &standardized);
    am_end_scope(b);
    return am_convolution(b, x, am_reshape(b, weight, shape), AM_NONE, &options);
}

static am_value norm(am_builder *b, const char *name, am_value x, const bit_config *c, am_unary_fn activation)
{
    x = am_group_norm(b, name, x, c->num_groups, GROUP_NORM_EPS);
    return activation == AM_IDENTITY ? x : am_unary(b, activation, x);
}

/* What a layer adds to: x, or its projection. */
static am_value shortcut(am_builder *b, am_value x, const bit_config *c, int64_t out, int64_t stride, bool is_first)
{
    if (!is_first) return x;
    x = convolve(b, "downsample.conv", x, c, out, (kernel_shape){1, stride, 1});
    return c->preactivation ? x : norm(b, "downsample.norm", x, c, AM_IDENTITY);
}

static am_value preactivated(am_builder *b, am_value x, const bit_config *c, int64_t out, int64_t stride, bool is_first)
{
    int64_t inner = am_round_channels((double)out / REDUCTION, WIDTH_MULTIPLE, WIDTH_MULTIPLE);
    am_value h = norm(b, "norm1", x, c, c->hidden_act);
    x = shortcut(b, is_first ? h : x, c, out, stride, is_first);
    h = norm(b, "norm2", convolve(b, "conv1", h, c, inner, (kernel_shape){1, 1, 1}), c, c->hidden_act);
    h = norm(b, "norm3", convolve(b, "conv2", h, c, inner, (kernel_shape){3, stride, 1}), c, c->hidden_act);
    return am_add(b, convolve(b, "conv3", h, c, out, (kernel_shape){1, 1, 1}), x);
}

static am_value bottleneck(am_builder *b, am_value x, const bit_config *c, int64_t out, kernel_shape middle,
                           bool is_first)
{
    int64_t inner = am_round_channels((double)out / REDUCTION, WIDTH_MULTIPLE, WIDTH_MULTIPLE);
    am_value h = norm(b, "norm1", convolve(b, "conv1", x, c, inner, (kernel_shape){1, 1, 1}), c, c->hidden_act);
    h = norm(b, "norm2", convolve(b, "conv2", h, c, inner, middle), c, c->hidden_act);
    h = norm(b, "norm3", convolve(b, "conv3", h, c, out, (kernel_shape){1, 1, 1}), c, AM_IDENTITY);
    return am_unary(b, c->hidden_act, am_add(b, h, shortcut(b, x, c, out, middle.stride, is_first)));
}

/* Kernels reach as far as dilation says, in the first layer at most twice as far; preactivated ones never do. */
static am_value stage(am_builder *b, am_value x, const bit_config *c, int i, int64_t stride, int64_t dilation)
{
    double width = (double)c->stages.hidden_sizes[i] * (double)c->width_factor;
    int64_t out = am_round_channels(width, WIDTH_MULTIPLE, WIDTH_MULTIPLE), first = dilation <= 2 ? 1 : 2;
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        kernel_shape middle = {3, j == 0 ? stride : 1, j == 0 ? first : dilation};
        x = c->preactivation ? preactivated(b, x, c, out, middle.stride, j == 0)
                             : bottleneck(b, x, c, out, middle, j == 0);
        am_end_scope(b);
    }
    return x;
}

/* Padded with zeros of the image, not with what no maximum takes. */
static am_value pad(am_builder *b, am_value x, const int64_t before[2], const int64_t after[2])
{
    x = am_pad_zero(b, x, 2, before[0], after[0]);
    return am_pad_zero(b, x, 3, before[1], after[1]);
}

static am_value stem(am_builder *b, const bit_config *c)
{
    am_pool_attributes halving = {.fn = AM_POOL_MAX, .kernel = am_shape_of(3, 3), .stride = am_shape_of(2, 2)};
    int64_t before[2], after[2];
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "embedder");
    x = convolve(b, "convolution", x, c, c->embedding_size, (kernel_shape){STEM_KERNEL, 2, 1});
    if (!c->same_padding) x = pad(b, x, (const int64_t[]){1, 1}, (const int64_t[]){1, 1});
    if (!c->preactivation) x = norm(b, "norm", x, c, c->hidden_act);
    am_end_scope(b);
    for (int i = 0; i < 2; i++) same_padding(am_dim(b, x, 2 + i), 3, 2, 1, &before[i], &after[i]);
    return am_pool(b, c->embedding_dynamic_padding ? pad(b, x, before, after) : x, &halving);
}

/* states: the 1 + count hidden states, [B, C, H, W], the stem's first. Returns the last. */
static am_value body(am_builder *b, const bit_config *c, am_value *states)
{
    int64_t shrunk = STEM_SHRINKS, dilation = 1;
    states[0] = stem(b, c);
    am_output_hidden_state(b, "hidden_states", 0, states[0]);
    for (int i = 0; i < c->stages.count; i++) {
        int64_t stride = i == 0 ? 1 : 2;
        if (shrunk >= c->output_stride) {
            dilation *= stride;
            stride = 1;
        }
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, states[i], c, i, stride, dilation);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, states[i + 1]);
        shrunk *= stride;
    }
    return states[c->stages.count];
}

static am_value last_norm(am_builder *b, am_value x, const bit_config *c)
{
    return c->preactivation ? norm(b, "norm", x, c, c->hidden_act) : x;
}

static void bit_model(am_builder *b)
{
    bit_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1], x = last_norm(b, body(b, &c, states), &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, true));
}

static void for_image_classification(am_builder *b)
{
    bit_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    am_scope(b, "bit");
    am_value x = am_image_mean(b, last_norm(b, body(b, &c, states), &c), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier.1", x, c.labels, AM_BIAS));
}

static void backbone(am_builder *b)
{
    bit_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    am_scope(b, "bit");
    body(b, &c, states);
    am_end_scope(b);
    am_output_feature_maps(b, states, c.stages.count);
}

static const am_architecture architectures[] = {
    {"BitModel", bit_model, "image-feature-extraction", 0},
    {"BitForImageClassification", for_image_classification, "image-classification", 0},
    {"BitBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_bit = {.name = "bit", .base_prefix = "bit", .architectures = architectures};

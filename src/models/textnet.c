/* TextNet: stages of convolutions, each the sum of one of its whole kernel, one of its height, one of its width and, as
   far as the map stays as it is, the map itself, all behind batch norms. transformers:
   models/textnet/modeling_textnet.py
 */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { STAGES = 4, LAYERS_LIMIT = 64 };

typedef struct textnet_layer {
    int64_t kernel[2], stride;
} textnet_layer;

typedef struct textnet_config {
    int64_t num_channels, stem_channels, stem_kernel, stem_stride;
    am_unary_fn stem_act;
    double eps;
    int64_t widths[AM_STAGES_LIMIT];
    textnet_layer layers[STAGES][LAYERS_LIMIT];
    int depths[STAGES];
} textnet_config;

static const textnet_config defaults = {
    .layers = {{{{3, 3}, 1}, {{3, 3}, 2}, {{3, 3}, 1}},
               {{{3, 3}, 2}, {{1, 3}, 1}, {{3, 3}, 1}, {{3, 1}, 1}},
               {{{3, 3}, 2}, {{3, 3}, 1}, {{3, 1}, 1}, {{1, 3}, 1}},
               {{{3, 3}, 2}, {{3, 1}, 1}, {{1, 3}, 1}, {{3, 3}, 1}}},
    .depths = {3, 4, 4, 4},
};

static void read_kernels(const am_config *c, textnet_config *r)
{
    int stages = 0;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "conv_layer_kernel_sizes")); am_json_next(&it);
         stages++) {
        if (stages == STAGES) break;
        r->depths[stages] = 0;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in);) {
            int64_t kernel[2] = {0};
            int count = 0;
            for (am_json_iterator n = am_json_iterate(in.value); am_json_next(&n); count++)
                if (count < 2) kernel[count] = am_json_int(n.value, 0);
            bool fits = count == 2 && kernel[0] > 0 && kernel[1] > 0 && kernel[0] < 1024 && kernel[1] < 1024;
            if (!fits || r->depths[stages] == LAYERS_LIMIT) {
                am_config_fail(c, "conv_layer_kernel_sizes", "expected height and width of %d layers at most",
                               LAYERS_LIMIT);
                return;
            }
            r->layers[stages][r->depths[stages]++] = (textnet_layer){{kernel[0], kernel[1]}, 1};
        }
    }
    if (stages != STAGES) am_config_unsupported(c, "conv_layer_kernel_sizes", "this class has %d stages", STAGES);
}

/* Layers are as many as there are kernels and strides. */
static void read_strides(const am_config *c, textnet_config *r)
{
    for (int i = 0; i < STAGES; i++) {
        int64_t strides[LAYERS_LIMIT];
        int count = am_config_inner_sizes(c, "conv_layer_strides", i, strides, LAYERS_LIMIT, NULL, 0);
        if (count < r->depths[i]) r->depths[i] = count;
        for (int j = 0; j < r->depths[i]; j++) {
            r->layers[i][j].stride = strides[j] ? strides[j] : 1;
            if (strides[j] == 0) am_config_fail(c, "conv_layer_strides", "a stride of 0");
        }
    }
}

static textnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    textnet_config r = defaults;
    r.num_channels = am_config_size(c, "stem_num_channels", 3);
    r.stem_channels = am_config_size(c, "stem_out_channels", 64);
    r.stem_kernel = am_config_size(c, "stem_kernel_size", 3);
    r.stem_stride = am_config_size(c, "stem_stride", 2);
    r.stem_act =
        am_config_is_null(c, "stem_act_func") ? AM_IDENTITY : am_config_activation(c, "stem_act_func", AM_RELU);
    r.eps = am_config_real(c, "batch_norm_eps", 1e-5);
    am_stage_sizes(c, "hidden_sizes", STAGES + 1, 1, (const int64_t[]){64, 64, 128, 256, 512}, 5, r.widths);
    if (am_config_has(c, "conv_layer_kernel_sizes")) read_kernels(c, &r);
    if (am_config_has(c, "conv_layer_strides")) read_strides(c, &r);
    else if (am_config_has(c, "conv_layer_kernel_sizes"))
        for (int i = 0; i < STAGES; i++)
            for (int j = 0; j < LAYERS_LIMIT; j++) r.layers[i][j].stride = j < 4 ? defaults.layers[i][j].stride : 1;
    return r;
}

/* NAME_batch_norm(NAME_conv(x)) */
static am_value part(am_builder *b, const char *name, am_value x, const textnet_config *c, int64_t out, am_shape kernel,
                     int64_t stride)
{
    am_shape padding = am_shape_of((kernel.dims[0] - 1) / 2, (kernel.dims[1] - 1) / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding};
    char conv[64], norm[64];
    snprintf(conv, sizeof conv, "%s_conv", name);
    snprintf(norm, sizeof norm, "%s_batch_norm", name);
    return am_batch_norm(b, norm, am_conv(b, conv, x, out, kernel, AM_NO_BIAS, &options), c->eps);
}

static am_value layer(am_builder *b, am_value x, const textnet_config *c, const textnet_layer *l, int64_t out)
{
    int64_t height = l->kernel[0], width = l->kernel[1];
    am_value sum = part(b, "main", x, c, out, am_shape_of(height, width), l->stride);
    if (width != 1) sum = am_add(b, sum, part(b, "vertical", x, c, out, am_shape_of(height, 1), l->stride));
    if (height != 1) sum = am_add(b, sum, part(b, "horizontal", x, c, out, am_shape_of(1, width), l->stride));
    if (am_dim(b, x, 1) == out && l->stride == 1) sum = am_add(b, sum, am_batch_norm(b, "rbr_identity", x, c->eps));
    return am_unary(b, AM_RELU, sum);
}

static am_value stem(am_builder *b, const textnet_config *c)
{
    int64_t kernel = c->stem_kernel;
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(c->stem_stride, c->stem_stride), .padding_before = padding, .padding_after = padding};
    am_value x = am_pixel_values(b, c->num_channels);
    x = am_conv(b, "stem.conv", x, c->stem_channels, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "stem.batch_norm", x, c->eps);
    return c->stem_act ? am_unary(b, c->stem_act, x) : x;
}

/* states: what comes out of the stem and of each stage. */
static am_value body(am_builder *b, const textnet_config *c, const char *prefix, am_value *states)
{
    am_scope(b, "%s", prefix);
    am_value x = states[0] = stem(b, c);
    if (x.id && c->stem_channels != c->widths[0] && c->depths[0] > 0)
        am_config_fail(am_model_config(b), "stem_out_channels", "expected the first of hidden_sizes");
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < STAGES; i++) {
        for (int j = 0; j < c->depths[i]; j++) {
            am_scope(b, "encoder.stages.%d.stage.%d", i, j);
            x = layer(b, x, c, &c->layers[i][j], c->widths[i + 1]);
            am_end_scope(b);
        }
        states[i + 1] = x;
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static void textnet_model(am_builder *b)
{
    textnet_config c = read_config(b);
    am_value states[STAGES + 1], x = body(b, &c, "", states);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output",
              am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(2, 2)}));
}

static void for_image_classification(am_builder *b)
{
    textnet_config c = read_config(b);
    am_value states[STAGES + 1], x = am_image_mean(b, body(b, &c, "textnet", states), false);
    am_output(b, "logits", am_linear(b, "fc", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void backbone(am_builder *b)
{
    textnet_config c = read_config(b);
    am_value states[STAGES + 1];
    body(b, &c, "textnet", states);
    am_output_feature_maps(b, states, STAGES);
}

static const am_architecture architectures[] = {
    {"TextNetModel", textnet_model, NULL, 0},
    {"TextNetForImageClassification", for_image_classification, "image-classification", 0},
    {"TextNetBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_textnet = {.name = "textnet", .base_prefix = "textnet", .architectures = architectures};

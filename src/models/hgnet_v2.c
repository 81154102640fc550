/* HGNetV2: a convolutional network whose blocks join what each of their layers gave before two convolutions of single
   pixels reduce that. transformers: models/hgnet_v2/modeling_hgnet_v2.py */
#include "models/blocks/vision.h"

#include <stdio.h>

enum { STEM_STRIDES = 5, LAYERS_LIMIT = 64 };

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

typedef struct hgnet_stage {
    int64_t in, middle, out, blocks, layers, kernel, stride;
    bool halves, is_light;
} hgnet_stage;

typedef struct hgnet_config {
    int64_t num_channels, stem[3], strides[STEM_STRIDES];
    hgnet_stage stages[AM_STAGES_LIMIT];
    int count;
    am_unary_fn hidden_act;
    bool affine; /* activations are followed by a factor and a sum */
} hgnet_config;

/* --- configuration --- */

static void read_flags(const am_config *c, const char *key, int count, const bool *fallback, bool *out)
{
    am_json list = am_json_get(c->object, key);
    int i = 0;
    for (am_json_iterator it = am_json_iterate(list); i < count && am_json_next(&it); i++)
        out[i] = am_json_bool(it.value, false);
    for (; !am_config_has(c, key) && i < count && i < 4; i++) out[i] = fallback[i];
    if (i != count) am_config_fail(c, key, "expected %d", count);
}

static void read_stages(const am_config *c, hgnet_config *r)
{
    enum { FIELDS = 7 };
    static const char *const keys[FIELDS] = {"stage_in_channels",       "stage_mid_channels",   "stage_out_channels",
                                             "stage_num_blocks",        "stage_numb_of_layers", "stage_kernel_size",
                                             "stage_downsample_strides"};
    static const int64_t defaults[FIELDS][4] = {{48, 128, 512, 1024}, {48, 96, 192, 384}, {128, 512, 1024, 2048},
                                                {1, 1, 3, 1},         {6, 6, 6, 6},       {3, 3, 5, 5},
                                                {2, 2, 2, 2}};
    int64_t lists[FIELDS][AM_STAGES_LIMIT];
    bool halves[AM_STAGES_LIMIT] = {false}, is_light[AM_STAGES_LIMIT] = {false};
    r->count = am_config_sizes(c, keys[0], lists[0], AM_STAGES_LIMIT, defaults[0], 4);
    for (int i = 1; i < FIELDS; i++) am_stage_sizes(c, keys[i], r->count, 1, defaults[i], 4, lists[i]);
    read_flags(c, "stage_downsample", r->count, (const bool[]){false, true, true, true}, halves);
    read_flags(c, "stage_light_block", r->count, (const bool[]){false, false, true, true}, is_light);
    for (int i = 0; i < r->count; i++) {
        r->stages[i] = (hgnet_stage){lists[0][i], lists[1][i], lists[2][i], lists[3][i], lists[4][i],
                                     lists[5][i], lists[6][i], halves[i],   is_light[i]};
        if (r->stages[i].layers > LAYERS_LIMIT)
            am_config_unsupported(c, keys[4], "at most %d are supported", LAYERS_LIMIT);
        if (r->stages[i].out < 2) am_config_fail(c, keys[2], "element %d is less than 2", i);
    }
    if (!r->count) am_config_fail(c, keys[0], "expected 1 or more");
}

static hgnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    hgnet_config r = {.num_channels = am_config_size(c, "num_channels", 3),
                      .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
                      .affine = am_config_flag(c, "use_learnable_affine_block", false)};
    int stem = am_config_sizes(c, "stem_channels", r.stem, 3, (const int64_t[]){3, 32, 48}, 3);
    int strides =
        am_config_sizes(c, "stem_strides", r.strides, STEM_STRIDES, (const int64_t[]){2, 1, 1, 2, 1}, STEM_STRIDES);
    if (stem != 3 || r.stem[1] < 2) am_config_fail(c, "stem_channels", "expected 3, the second above 1");
    if (strides != STEM_STRIDES) am_config_fail(c, "stem_strides", "expected %d numbers", STEM_STRIDES);
    read_stages(c, &r);
    return r;
}

/* --- layers --- */

typedef struct conv_options {
    int64_t out, kernel, stride, groups;
    am_unary_fn act;
} conv_options;

static am_value conv_layer(am_builder *b, const hgnet_config *c, const char *name, am_value x, const conv_options *o)
{
    am_shape padding = am_shape_of((o->kernel - 1) / 2, (o->kernel - 1) / 2);
    am_convolution_attributes options = {.stride = am_shape_of(o->stride, o->stride),
                                         .padding_before = padding,
                                         .padding_after = padding,
                                         .groups = o->groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, o->out, am_shape_of(o->kernel, o->kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "normalization", x, BATCH_NORM_EPS);
    if (o->act != AM_IDENTITY) x = am_unary(b, o->act, x);
    if (o->act != AM_IDENTITY && c->affine) {
        am_value scale = am_parameter(b, "lab.scale", am_shape_of(1), x);
        x = am_add(b, am_mul(b, x, scale), am_parameter(b, "lab.bias", am_shape_of(1), x));
    }
    am_end_scope(b);
    return x;
}

static am_value block_layer(am_builder *b, const hgnet_config *c, const hgnet_stage *s, int i, am_value x)
{
    char name[32];
    conv_options full = {s->middle, s->kernel, 1, 1, AM_RELU}, pixels = {s->middle, 1, 1, 1, AM_IDENTITY},
                 channels = {s->middle, s->kernel, 1, s->middle, AM_RELU};
    snprintf(name, sizeof name, "layers.%d", i);
    if (!s->is_light) return conv_layer(b, c, name, x, &full);
    am_scope(b, "%s", name);
    x = conv_layer(b, c, "conv1", x, &pixels);
    x = conv_layer(b, c, "conv2", x, &channels);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, const hgnet_config *c, const hgnet_stage *s, am_value x, bool is_residual)
{
    am_value parts[LAYERS_LIMIT + 1] = {x}, first = x;
    int count = s->layers > LAYERS_LIMIT ? 0 : (int)s->layers;
    for (int i = 0; i < count; i++) parts[i + 1] = x = block_layer(b, c, s, i, x);
    x = am_concat(b, parts, count + 1, 1);
    x = conv_layer(b, c, "aggregation.0", x, &(conv_options){s->out / 2, 1, 1, 1, AM_RELU});
    x = conv_layer(b, c, "aggregation.1", x, &(conv_options){s->out, 1, 1, 1, AM_RELU});
    return is_residual ? am_add(b, x, first) : x;
}

static am_value stage(am_builder *b, const hgnet_config *c, const hgnet_stage *s, am_value x)
{
    int64_t in = am_dim(b, x, 1);
    if (s->halves) x = conv_layer(b, c, "downsample", x, &(conv_options){in, 3, s->stride, in, AM_IDENTITY});
    for (int64_t i = 0; i < s->blocks && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d", (int)i);
        x = block(b, c, s, x, i > 0);
        am_end_scope(b);
    }
    return x;
}

static am_value pad_end(am_builder *b, am_value x)
{
    return am_pad_zero(b, am_pad_zero(b, x, 2, 0, 1), 3, 0, 1);
}

static am_value stem(am_builder *b, const hgnet_config *c)
{
    int64_t C = c->stem[1];
    const int64_t *s = c->strides;
    am_pool_attributes neighbours = {
        .fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2), .stride = am_shape_of(1, 1), .ceil_mode = true};
    am_scope(b, "embedder");
    am_value x =
        conv_layer(b, c, "stem1", am_pixel_values(b, c->num_channels), &(conv_options){C, 3, s[0], 1, c->hidden_act});
    x = pad_end(b, x);
    am_value y = conv_layer(b, c, "stem2a", x, &(conv_options){C / 2, 2, s[1], 1, c->hidden_act});
    y = conv_layer(b, c, "stem2b", pad_end(b, y), &(conv_options){C, 2, s[2], 1, c->hidden_act});
    x = am_concat2(b, am_pool(b, x, &neighbours), y, 1);
    x = conv_layer(b, c, "stem3", x, &(conv_options){C, 3, s[3], 1, c->hidden_act});
    x = conv_layer(b, c, "stem4", x, &(conv_options){c->stem[2], 1, s[4], 1, c->hidden_act});
    am_end_scope(b);
    return x;
}

/* states: the 1 + count hidden states, [B, C, H, W], the stem's first. Returns the last. */
static am_value body(am_builder *b, const hgnet_config *c, am_value *states)
{
    states[0] = stem(b, c);
    for (int i = 0; i < c->count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, c, &c->stages[i], states[i]);
        am_end_scope(b);
    }
    return states[c->count];
}

static void output_states(am_builder *b, const hgnet_config *c, const am_value *states)
{
    for (int i = 0; i <= c->count; i++) am_output_hidden_state(b, "hidden_states", i, states[i]);
}

static void for_image_classification(am_builder *b)
{
    hgnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1], x = am_image_mean(b, body(b, &c, states), false);
    am_output(b, "logits", am_linear(b, "fc", x, am_config_labels(am_model_config(b)), AM_BIAS));
    output_states(b, &c, states);
}

static void backbone(am_builder *b)
{
    hgnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1];
    body(b, &c, states);
    am_output_feature_maps(b, states, c.count);
    output_states(b, &c, states);
}

static const am_architecture architectures[] = {
    {"HGNetV2ForImageClassification", for_image_classification, "image-classification", 0},
    {"HGNetV2Backbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_hgnet_v2 = {.name = "hgnet_v2", .architectures = architectures};

/* HGNetV2: each block's convolutions run one behind the other, and all of what they give together is squeezed to the
   block's width. transformers: models/hgnet_v2/modeling_hgnet_v2.py */
#include "models/blocks/affine.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { LAYERS_LIMIT = 64, BLOCKS_LIMIT = 4096 };

static const am_affine_stem default_stem = {{3, 32, 48}, {2, 1, 1, 2, 1}, AM_RELU, false};

typedef struct hgnet_stage {
    int64_t in, mid, out, blocks, layers, kernel, stride[2];
    bool downsample, light;
} hgnet_stage;

typedef struct hgnet_config {
    am_affine_stem stem;
    hgnet_stage stages[AM_STAGES_LIMIT];
    int count;
    int64_t width; /* of what comes out of the last stage */
} hgnet_config;

/* stage_downsample_strides: of each stage a number, or one for height and one for width. */
static void read_strides(const am_config *c, hgnet_config *r)
{
    int found = 0;
    am_json list = am_json_get(c->object, "stage_downsample_strides");
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it); found++) {
        int64_t pair[2] = {am_json_int(it.value, 0), am_json_int(it.value, 0)};
        int count = 0;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in); count++)
            if (count < 2) pair[count] = am_json_int(in.value, 0);
        bool fits = (count == 0 || count == 2) && pair[0] > 0 && pair[0] < 1024 && pair[1] > 0 && pair[1] < 1024;
        if (!fits) am_config_fail(c, "stage_downsample_strides", "element %d is no stride", found);
        for (int i = 0; i < 2 && fits && found < r->count; i++) r->stages[found].stride[i] = pair[i];
    }
    if (am_config_has(c, "stage_downsample_strides") ? found != r->count : r->count != 4)
        am_config_fail(c, "stage_downsample_strides", "expected %d elements, found %d", r->count, found);
}

static void read_stages(const am_config *c, hgnet_config *r)
{
    int64_t in[AM_STAGES_LIMIT], mid[AM_STAGES_LIMIT], out[AM_STAGES_LIMIT], blocks[AM_STAGES_LIMIT],
        layers[AM_STAGES_LIMIT], kernels[AM_STAGES_LIMIT];
    bool downsample[AM_STAGES_LIMIT], light[AM_STAGES_LIMIT];
    static const int64_t ins[] = {48, 128, 512, 1024};
    int count = r->count = am_config_sizes(c, "stage_in_channels", in, AM_STAGES_LIMIT, ins, 4);
    if (count == 0) am_config_fail(c, "stage_in_channels", "expected a stage or more");
    am_stage_sizes(c, "stage_in_channels", count, 1, ins, 4, in);
    am_stage_sizes(c, "stage_mid_channels", count, 1, (const int64_t[]){48, 96, 192, 384}, 4, mid);
    am_stage_sizes(c, "stage_out_channels", count, 2, (const int64_t[]){128, 512, 1024, 2048}, 4, out);
    am_stage_sizes(c, "stage_num_blocks", count, 0, (const int64_t[]){1, 1, 3, 1}, 4, blocks);
    am_stage_sizes(c, "stage_numb_of_layers", count, 0, (const int64_t[]){6, 6, 6, 6}, 4, layers);
    am_stage_sizes(c, "stage_kernel_size", count, 1, (const int64_t[]){3, 3, 5, 5}, 4, kernels);
    am_config_flags(c, "stage_downsample", count, true, downsample);
    am_config_flags(c, "stage_light_block", count, false, light);
    if (!am_config_has(c, "stage_downsample")) downsample[0] = false;
    for (int i = 0; i < count; i++) {
        if (!am_config_has(c, "stage_light_block")) light[i] = i >= 2;
        r->stages[i] =
            (hgnet_stage){in[i], mid[i], out[i], blocks[i], layers[i], kernels[i], {2, 2}, downsample[i], light[i]};
        if (layers[i] <= LAYERS_LIMIT && blocks[i] <= BLOCKS_LIMIT) continue;
        am_config_fail(c, "stage_numb_of_layers", "%" PRId64 " layers in %" PRId64 " blocks", layers[i], blocks[i]);
        r->stages[i].layers = r->stages[i].blocks = 0;
    }
    read_strides(c, r);
}

static hgnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    hgnet_config r = {.stem = am_affine_stem_read(c, &default_stem)};
    int64_t hidden_sizes[AM_STAGES_LIMIT];
    int count =
        am_config_sizes(c, "hidden_sizes", hidden_sizes, AM_STAGES_LIMIT, (const int64_t[]){256, 512, 1024, 2048}, 4);
    read_stages(c, &r);
    r.width = count ? hidden_sizes[count - 1] : 0;
    return r;
}

/* Convolutions of blocks have ReLU, whatever hidden_act says. */
static am_value conv(am_builder *b, const char *name, am_value x, const hgnet_config *c, int64_t out, int64_t kernel)
{
    am_affine_conv_options options = {
        .out = out, .kernel = kernel, .stride = {1, 1}, .activation = AM_RELU, .affine = c->stem.affine};
    return am_affine_conv(b, name, x, &options);
}

static am_value light_conv(am_builder *b, am_value x, const hgnet_config *c, const hgnet_stage *s)
{
    am_affine_conv_options narrow = {.out = s->mid, .kernel = 1, .stride = {1, 1}};
    am_affine_conv_options depthwise = {.out = s->mid,
                                        .kernel = s->kernel,
                                        .stride = {1, 1},
                                        .groups = s->mid,
                                        .activation = AM_RELU,
                                        .affine = c->stem.affine};
    return am_affine_conv(b, "conv2", am_affine_conv(b, "conv1", x, &narrow), &depthwise);
}

static am_value block(am_builder *b, am_value x, const hgnet_config *c, const hgnet_stage *s, bool residual)
{
    am_value parts[LAYERS_LIMIT + 1] = {x}, before = x;
    char name[32];
    for (int i = 0; i < s->layers; i++) {
        snprintf(name, sizeof name, "layers.%d", i);
        if (s->light) {
            am_scope(b, "%s", name);
            x = light_conv(b, x, c, s);
            am_end_scope(b);
        } else x = conv(b, name, x, c, s->mid, s->kernel);
        parts[i + 1] = x;
    }
    x = am_concat(b, parts, (int)s->layers + 1, 1);
    x = conv(b, "aggregation.0", x, c, s->out / 2, 1);
    x = conv(b, "aggregation.1", x, c, s->out, 1);
    return residual ? am_add(b, x, before) : x;
}

static am_value stage(am_builder *b, am_value x, const hgnet_config *c, const hgnet_stage *s)
{
    am_affine_conv_options halving = {
        .out = s->in, .kernel = 3, .stride = {s->stride[0], s->stride[1]}, .groups = s->in};
    if (s->downsample) x = am_affine_conv(b, "downsample", x, &halving);
    for (int i = 0; i < s->blocks && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d", i);
        x = block(b, x, c, s, i > 0);
        am_end_scope(b);
    }
    return x;
}

/* states: what comes out of the stem and of each stage. */
static am_value body(am_builder *b, const hgnet_config *c, am_value *states)
{
    am_value x = am_pixel_values(b, c->stem.channels[0]);
    am_scope(b, "embedder");
    states[0] = am_affine_embed(b, x, &c->stem);
    am_end_scope(b);
    am_output_hidden_state(b, "hidden_states", 0, states[0]);
    for (int i = 0; i < c->count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        states[i + 1] = stage(b, states[i], c, &c->stages[i]);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, states[i + 1]);
    }
    return states[c->count];
}

static void for_image_classification(am_builder *b)
{
    hgnet_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT + 1], x = am_image_mean(b, body(b, &c, states), false);
    if (x.id && am_dim(b, x, 1) != c.width)
        am_config_fail(am_model_config(b), "hidden_sizes", "expected the last of stage_out_channels last");
    am_output(b, "logits", am_linear(b, "fc", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void backbone(am_builder *b)
{
    const am_config *config = am_model_config(b);
    hgnet_config c = read_config(b);
    int64_t depths[AM_STAGES_LIMIT];
    am_value states[AM_STAGES_LIMIT + 1];
    if (am_config_sizes(config, "depths", depths, AM_STAGES_LIMIT, (const int64_t[]){3, 4, 6, 3}, 4) != c.count)
        am_config_fail(config, "depths", "expected %d elements", c.count);
    body(b, &c, states);
    am_output_feature_maps(b, states, c.count);
}

static const am_architecture architectures[] = {
    {"HGNetV2ForImageClassification", for_image_classification, "image-classification", 0},
    {"HGNetV2Backbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_hgnet_v2 = {.name = "hgnet_v2", .base_prefix = "hgnetv2", .architectures = architectures};

/* UVDoc's backbone: a residual network, and over its map several bridges, each of which looks at it with gaps of its
   own between the pixels that a convolution reads. transformers: models/uvdoc/modeling_uvdoc.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <stdio.h>
#include <string.h>

enum { LISTS_LIMIT = 64 };

static const double NORM_EPS = 1e-5;

/* Lists that absent fields stand for. */
static const char default_head[] = "[[3,32],[32,32]]",
                  default_resnet[] = "[[[32,32,1,false],[32,32,3,false],[32,32,3,false]],"
                                     "[[32,64,1,true],[64,64,3,false],[64,64,3,false],[64,64,3,false]],"
                                     "[[64,128,1,true],[128,128,3,false],[128,128,3,false],[128,128,3,false],"
                                     "[128,128,3,false],[128,128,3,false]]]",
                  default_stages[] = "[[[128,1]],[[128,2]],[[128,5]],[[128,8],[128,3],[128,2]],"
                                     "[[128,12],[128,7],[128,4]],[[128,18],[128,12],[128,6]]]";

/* The list `key`, or what the text says; *document is to be closed behind it. */
static am_json open_list(am_builder *b, const char *key, const char *fallback, am_json_document **document)
{
    const am_config *c = am_model_config(b);
    *document = NULL;
    if (am_config_has(c, key)) return am_json_get(c->object, key);
    am_status status = am_json_parse(fallback, strlen(fallback), key, document);
    if (status) am_builder_fail(b, status);
    return status ? (am_json){0} : am_json_root(*document);
}

/* One convolution as a configuration lists it. */
typedef struct uvdoc_conv {
    int64_t out, kernel, stride, padding, dilation;
} uvdoc_conv;

static am_value conv(am_builder *b, const char *name, am_value x, const uvdoc_conv *o, int bias)
{
    am_convolution_attributes options = {.stride = am_shape_of(o->stride, o->stride),
                                         .dilation = am_shape_of(o->dilation, o->dilation),
                                         .padding_before = am_shape_of(o->padding, o->padding),
                                         .padding_after = am_shape_of(o->padding, o->padding)};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, o->out, am_shape_of(o->kernel, o->kernel), bias, &options);
    x = am_batch_norm(b, "normalization", x, NORM_EPS);
    am_end_scope(b);
    return x;
}

/* The numbers of an element of a list; true counts as 1. Fails unless they are `count`, the first ones 1 or more. */
static bool read_numbers(const am_config *c, const char *key, am_json element, int64_t *out, int count, int positive)
{
    int found = 0;
    for (am_json_iterator it = am_json_iterate(element); am_json_next(&it); found++) {
        if (found >= count) continue;
        bool is_flag = am_json_kind_of(it.value) == AM_JSON_BOOL;
        out[found] = is_flag ? am_json_bool(it.value, false) : am_json_int(it.value, -1);
        if (out[found] < (found < positive) || out[found] > 1 << 24) found = LISTS_LIMIT;
    }
    if (found != count) am_config_fail(c, key, "expected lists of %d numbers", count);
    return found == count;
}

static am_value residual_block(am_builder *b, am_value x, const int64_t *numbers, int64_t kernel)
{
    int64_t stride = numbers[3] ? 2 : 1, dilation = numbers[2];
    uvdoc_conv start = {numbers[1], kernel, stride, 2 * dilation, dilation},
               last = {numbers[1], kernel, 1, 2 * dilation, dilation},
               down = {numbers[1], kernel, stride, kernel / 2, 1};
    am_value h = am_unary(b, AM_RELU, conv(b, "conv_start", x, &start, AM_BIAS));
    h = conv(b, "conv_final", h, &last, AM_BIAS);
    if (numbers[3]) x = conv(b, "conv_down", x, &down, AM_BIAS);
    return am_unary(b, AM_RELU, am_add(b, h, x));
}

/* resnet_configs: of each stage its blocks: channels in and out, dilation, whether it halves the map. */
static am_value resnet_stages(am_builder *b, am_value x, am_json list, int64_t kernel)
{
    const am_config *c = am_model_config(b);
    int64_t numbers[4];
    int stage = 0;
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it); stage++) {
        int block = 0;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in); block++) {
            if (am_builder_failed(b) || !read_numbers(c, "resnet_configs", in.value, numbers, 4, 3)) return AM_NONE;
            am_scope(b, "resnet_down.%d.layers.%d", stage, block);
            x = residual_block(b, x, numbers, kernel);
            am_end_scope(b);
        }
    }
    return x;
}

static am_value resnet_head(am_builder *b, am_value x, am_json list, int64_t kernel)
{
    const am_config *c = am_model_config(b);
    int64_t numbers[2];
    int i = 0;
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it); i++) {
        if (am_builder_failed(b) || !read_numbers(c, "resnet_head", it.value, numbers, 2, 2)) return AM_NONE;
        char name[32];
        snprintf(name, sizeof name, "resnet_head.%d", i);
        uvdoc_conv options = {numbers[1], kernel, 2, kernel / 2, 1};
        x = am_unary(b, AM_RELU, conv(b, name, x, &options, AM_NO_BIAS));
    }
    return x;
}

static am_value resnet(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t kernel = am_config_size(c, "kernel_size", 5);
    am_json_document *head, *stages;
    if (kernel > 1023) am_config_fail(c, "kernel_size", "at most 1023");
    if (kernel > 1023) return AM_NONE;
    am_scope(b, "resnet");
    x = resnet_head(b, x, open_list(b, "resnet_head", default_head, &head), kernel);
    x = resnet_stages(b, x, open_list(b, "resnet_configs", default_resnet, &stages), kernel);
    am_end_scope(b);
    am_json_close(head);
    am_json_close(stages);
    return x;
}

/* The bridges of x, each of them of x itself: states[0] is x. Gives how many they are. */
static int bridges(am_builder *b, am_value x, am_json list, am_value *states)
{
    const am_config *c = am_model_config(b);
    int64_t numbers[2];
    int count = 0;
    states[0] = x;
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it);) {
        if (count == AM_STAGES_LIMIT) am_config_fail(c, "stage_configs", "more than %d", AM_STAGES_LIMIT);
        if (count == AM_STAGES_LIMIT) return 0;
        am_value h = x;
        int block = 0;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in); block++) {
            if (am_builder_failed(b) || !read_numbers(c, "stage_configs", in.value, numbers, 2, 2)) return 0;
            char name[64];
            snprintf(name, sizeof name, "bridge.%d.blocks.%d", count, block);
            uvdoc_conv options = {numbers[0], 3, 1, numbers[1], numbers[1]};
            h = am_unary(b, AM_RELU, conv(b, name, h, &options, AM_NO_BIAS));
        }
        states[++count] = h;
    }
    if (count == 0) am_config_fail(c, "stage_configs", "expected a stage or more");
    return count;
}

static int output_bridges(am_builder *b, am_value x, am_value *states)
{
    am_json_document *document;
    int count = bridges(b, x, open_list(b, "stage_configs", default_stages, &document), states);
    am_json_close(document);
    for (int i = 0; i <= count && count; i++) am_output_hidden_state(b, "hidden_states", i, states[i]);
    return count;
}

static void bridge(am_builder *b)
{
    am_value states[AM_STAGES_LIMIT + 1];
    int count = output_bridges(b, am_input(b, "hidden_states", 4), states);
    if (count) am_output(b, "last_hidden_state", states[count]);
}

static void backbone(am_builder *b)
{
    am_value states[AM_STAGES_LIMIT + 1];
    am_value x = resnet(b, am_input(b, "pixel_values", 4));
    am_scope(b, "bridge");
    int count = output_bridges(b, x, states);
    am_end_scope(b);
    if (count) am_output_feature_maps(b, states, count);
}

static const am_architecture architectures[] = {
    {"UVDocBackbone", backbone, NULL, 0},
    {"UVDocBridge", bridge, NULL, 0},
    {0},
};

const am_model_type am_model_uvdoc_backbone = {
    .name = "uvdoc_backbone", .base_prefix = "backbone", .architectures = architectures};

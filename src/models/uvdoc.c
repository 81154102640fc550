/* UVDoc: where the pixels of a flat page lie in a photograph of it, as a coarse grid of points. transformers:
   models/uvdoc/modeling_uvdoc.py */
#include "models/blocks/feature_maps.h"

#include <inttypes.h>
#include <string.h>

static int padding_mode(const am_config *c)
{
    static const char *const names[] = {"zeros", "reflect", "replicate", "circular"};
    static const int modes[] = {AM_PAD_CONSTANT, AM_PAD_REFLECT, AM_PAD_REPLICATE, AM_PAD_CIRCULAR};
    const char *name = am_config_text(c, "padding_mode", "reflect");
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) return modes[i];
    am_config_fail(c, "padding_mode", "expected \"zeros\", \"reflect\", \"replicate\" or \"circular\"");
    return AM_PAD_CONSTANT;
}

static am_value padded_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias)
{
    int64_t n = kernel / 2;
    am_pad_attributes pad = {
        .before = am_shape_of(0, 0, n, n), .after = am_shape_of(0, 0, n, n), .mode = padding_mode(am_model_config(b))};
    return am_conv(b, name, am_pad(b, x, &pad), out, am_shape_of(kernel, kernel), bias,
                   &(am_convolution_attributes){0});
}

/* torch.nn.PReLU with one slope, or another activation. */
static am_value activate(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    if (am_config_has(c, "hidden_act") && !am_config_is(c, "hidden_act", "prelu"))
        return am_unary(b, am_config_activation(c, "hidden_act", AM_RELU), x);
    am_value slope = am_parameter(b, "activation.weight", am_shape_of(1), x);
    return am_select(b, am_binary_number(b, AM_GREATER, x, 0), x, am_mul(b, x, slope));
}

/* Elements of a list of pairs: widths in and out of `key`'s two convolutions. */
static void read_pairs(const am_config *c, int64_t out[2][2])
{
    static const int64_t fallback[2][2] = {{128, 32}, {32, 2}};
    for (int i = 0; i < 2; i++) {
        int count = am_config_inner_sizes(c, "out_point_positions2D", i, out[i], 2, fallback[i], 2);
        if (count == 2 && out[i][0] > 0 && out[i][1] > 0) continue;
        am_config_fail(c, "out_point_positions2D", "element %d: expected channels in and out", i);
        out[i][0] = out[i][1] = 1;
    }
}

/* Below the head's scope: x: [B, C, h, w] -> [B, 2, h, w]. */
static am_value point_positions(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t channels[2][2], kernel = am_config_size(c, "kernel_size", 5);
    read_pairs(c, channels);
    if (x.id && kernel / 2 >= am_dim(b, x, 2)) am_config_fail(c, "kernel_size", "%" PRId64 " is too much", kernel);
    if (!x.id || kernel / 2 >= am_dim(b, x, 2)) return AM_NONE;
    am_scope(b, "out_point_positions2D");
    am_scope(b, "conv_down");
    x = padded_conv(b, "convolution", x, channels[0][1], kernel, AM_NO_BIAS);
    x = activate(b, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    x = padded_conv(b, "conv_up", x, channels[1][1], kernel, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value head(am_builder *b, am_value x)
{
    int64_t channels[2] = {1, 1}, fallback[2] = {128, 128};
    const am_config *c = am_model_config(b);
    int count = am_config_sizes(c, "bridge_connector", channels, 2, fallback, 2);
    if (count != 2 || channels[1] < 1) am_config_fail(c, "bridge_connector", "expected channels in and out");
    if (count != 2 || channels[1] < 1) return AM_NONE;
    am_scope(b, "bridge_connector");
    x = am_conv(b, "convolution", x, channels[1], am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = am_unary(b, AM_RELU, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    return point_positions(b, x);
}

static void model(am_builder *b)
{
    am_config inner = am_config_child(am_model_config(b), "backbone_config");
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps_of(b, &inner, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_scope(b, "head");
    am_output(b, "last_hidden_state", head(b, am_concat(b, maps.maps, maps.count, 1)));
    am_end_scope(b);
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {
    {"UVDocModel", model, NULL, 0},
    {0},
};

const am_model_type am_model_uvdoc = {.name = "uvdoc", .base_prefix = "model", .architectures = architectures};

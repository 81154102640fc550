/* ViTDet: a vision transformer without a class token, some of whose layers attend within windows only; queries may be
   compared with relative places, and convolutions follow some layers. transformers: models/vitdet/modeling_vitdet.py */
#include "models/blocks/attention.h"
#include "models/blocks/decomposed.h"
#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>
#include <stdio.h>

enum { LAYERS_LIMIT = 256 };

static const double RESIDUAL_NORM_EPS = 1e-6; /* not configurable */

typedef struct vitdet_config {
    am_image_options pretrained; /* of the size that positions are for */
    int64_t side[2];             /* of the map that relative places are for */
    int64_t C, layers, heads, inner, window_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool qkv_bias, has_positions, is_relative;
    bool in_windows[LAYERS_LIMIT + 1], convolves[LAYERS_LIMIT + 1];
} vitdet_config;

static vitdet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_image_options image = am_image_options_read(c, 224, 16);
    vitdet_config r = {
        .pretrained = image,
        .side = {image.image_size[0] / image.patch_size[0], image.image_size[1] / image.patch_size[1]},
        .C = am_config_size(c, "hidden_size", 768),
        .layers = am_config_count(c, "num_hidden_layers", 12),
        .heads = am_config_size(c, "num_attention_heads", 12),
        .window_size = am_config_count(c, "window_size", 0),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .qkv_bias = am_config_flag(c, "qkv_bias", true),
        .has_positions = am_config_flag(c, "use_absolute_position_embeddings", true),
        .is_relative = am_config_flag(c, "use_relative_position_embeddings", false),
    };
    am_config_pair(c, "pretrain_image_size", 224, r.pretrained.image_size);
    r.inner = am_scaled_size(c, "mlp_ratio", r.C, am_config_real(c, "mlp_ratio", 4));
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.C);
    if (r.is_relative && (r.side[0] < 1 || r.side[1] < 1)) {
        am_config_fail(c, "image_size", "is less than patch_size");
        r.is_relative = false;
    }
    if (r.layers > LAYERS_LIMIT) {
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", LAYERS_LIMIT);
        r.layers = 0;
    }
    am_marked_layers(c, "window_block_indices", LAYERS_LIMIT, r.in_windows);
    am_marked_layers(c, "residual_block_indices", LAYERS_LIMIT, r.convolves);
    return r;
}

/* --- layers --- */

/* x: [N, height * width, C], normed. */
static am_value attend(am_builder *b, const vitdet_config *c, am_value x, const int64_t size[2], const int64_t side[2])
{
    am_scope(b, "attention");
    x = am_decomposed_attention(b, x, c->heads, c->qkv_bias, size, c->is_relative ? side : NULL);
    am_end_scope(b);
    return x;
}

static am_value attend_in_windows(am_builder *b, const vitdet_config *c, am_value x, const int64_t size[2])
{
    const int64_t side[] = {c->window_size, c->window_size};
    am_windows windows = am_windows_of(size[0], size[1], c->window_size, 0);
    return am_windows_join(b, attend(b, c, am_windows_split(b, x, &windows), side, side), &windows);
}

static am_value norm_conv(am_builder *b, int i, am_value x, int64_t out, int64_t side)
{
    char name[16], norm[16];
    am_shape padding = am_shape_of(side / 2, side / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding};
    snprintf(name, sizeof name, "conv%d", i);
    snprintf(norm, sizeof norm, "norm%d", i);
    x = am_conv(b, name, x, out, am_shape_of(side, side), AM_NO_BIAS, &options);
    return am_layer_norm_channels_first(b, norm, x, RESIDUAL_NORM_EPS);
}

/* x: [B, height * width, C] */
static am_value convolve(am_builder *b, const vitdet_config *c, am_value x, const int64_t size[2])
{
    am_shape shape = am_shape_of(am_dim(b, x, 0), c->C, size[0], size[1]);
    am_scope(b, "residual");
    am_value h = am_reshape(b, am_transpose(b, x, 1, 2), shape);
    h = am_unary(b, c->hidden_act, norm_conv(b, 1, h, c->C / 2, 1));
    h = am_unary(b, c->hidden_act, norm_conv(b, 2, h, c->C / 2, 3));
    h = norm_conv(b, 3, h, c->C, 1);
    am_end_scope(b);
    return am_add(b, x, am_image_tokens(b, h));
}

static am_value layer(am_builder *b, const vitdet_config *c, am_value x, const int64_t size[2], int i)
{
    am_value h = am_layer_norm(b, "norm1", x, c->layer_norm_eps);
    bool in_windows = c->window_size > 0 && c->in_windows[i];
    x = am_add(b, x, in_windows ? attend_in_windows(b, c, h, size) : attend(b, c, h, size, c->side));
    h = am_linear_activation(b, "mlp.fc1", am_layer_norm(b, "norm2", x, c->layer_norm_eps), c->inner, AM_BIAS,
                             c->hidden_act);
    x = am_add(b, x, am_linear(b, "mlp.fc2", h, c->C, AM_BIAS));
    return c->convolves[i] ? convolve(b, c, x, size) : x;
}

/* --- the model --- */

/* states: the 1 + layers hidden states, [B, C, height, width]. */
static void body(am_builder *b, const vitdet_config *c, am_value *states)
{
    am_scope(b, "embeddings");
    am_value x = am_pixel_values(b, c->pretrained.num_channels);
    x = am_patch_convolution(b, "projection", x, c->C, c->pretrained.patch_size, AM_BIAS);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    am_shape map = am_shape_of_value(b, x);
    x = am_image_tokens(b, x);
    if (c->has_positions && !am_builder_failed(b))
        x = am_add(b, x, am_positions_behind_class(b, &c->pretrained, x, size));
    am_end_scope(b);
    states[0] = am_reshape(b, am_transpose(b, x, 1, 2), map);
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, c, x, size, i);
        am_end_scope(b);
        states[i + 1] = am_reshape(b, am_transpose(b, x, 1, 2), map);
    }
    for (int i = 0; i <= c->layers && !am_builder_failed(b); i++)
        am_output_hidden_state(b, "hidden_states", i, states[i]);
}

static void vitdet_model(am_builder *b)
{
    vitdet_config c = read_config(b);
    am_value states[LAYERS_LIMIT + 1] = {0};
    body(b, &c, states);
    am_output(b, "last_hidden_state", states[c.layers]);
}

static void backbone(am_builder *b)
{
    vitdet_config c = read_config(b);
    am_value states[LAYERS_LIMIT + 1] = {0};
    bool wanted[LAYERS_LIMIT + 1];
    char output[64];
    body(b, &c, states);
    am_backbone_stages(am_model_config(b), (int)c.layers, wanted);
    for (int i = 0, map = 0; i <= c.layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, states[i]);
    }
}

static const am_architecture architectures[] = {
    {"VitDetModel", vitdet_model, "image-feature-extraction", 0},
    {"VitDetBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_vitdet = {.name = "vitdet", .architectures = architectures};

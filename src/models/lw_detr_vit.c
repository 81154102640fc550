/* LW-DETR's backbone: a vision transformer in windows of the image. transformers: models/lw_detr/modeling_lw_detr.py */
#include "models/blocks/windowed_vit.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct vit_config {
    am_image_options image; /* of the size that positions are for */
    am_windowed_options layers;
    int64_t side; /* windows in a column and in a row */
    bool has_positions;
} vit_config;

static vit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 12);
    vit_config r = {
        .image = am_image_options_read(c, 224, 16),
        .layers = {.C = C,
                   .layers = am_config_count(c, "num_hidden_layers", 12),
                   .heads = heads,
                   .head_dim = am_config_size(c, "head_dim", C / heads ? C / heads : 1),
                   .windows = am_config_size(c, "num_windows", 16),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                   .qkv_bias = am_config_flag(c, "qkv_bias", true),
                   .norm_before = "layernorm_before",
                   .norm_after = "layernorm_after",
                   .attention_scale = "gamma_1",
                   .mlp_scale = "gamma_2",
                   .up = "intermediate.fc1",
                   .down = "intermediate.fc2",
                   .out = "output"},
        .side = 1,
        .has_positions = am_config_flag(c, "use_absolute_position_embeddings", true),
    };
    am_config_pair(c, "pretrain_image_size", 224, r.image.image_size);
    r.layers.inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    while ((r.side + 1) * (r.side + 1) <= r.layers.windows) r.side++;
    if (r.side * r.side != r.layers.windows)
        am_config_fail(c, "num_windows", "%" PRId64 " is no square", r.layers.windows);
    if (r.layers.layers > AM_WINDOWED_LAYERS) {
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", AM_WINDOWED_LAYERS);
        r.layers.layers = 0;
    }
    am_marked_layers(c, "window_block_indices", AM_WINDOWED_LAYERS, r.layers.in_windows);
    return r;
}

/* Patches: [B, N, C] -> [B * windows, N / windows, C], and back to a map [B, C, height, width]. */
static am_value split(am_builder *b, const vit_config *c, am_value x, const int64_t size[2])
{
    int64_t B = am_dim(b, x, 0), s = c->side, h = size[0] / s, w = size[1] / s, C = c->layers.C;
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, s, h, s, w, C)), am_shape_of(0, 1, 3, 2, 4, 5));
    return am_reshape(b, x, am_shape_of(B * s * s, h * w, C));
}

static am_value join(am_builder *b, const vit_config *c, am_value x, const int64_t size[2])
{
    int64_t s = c->side, B = am_dim(b, x, 0) / (s * s), h = size[0] / s, w = size[1] / s, C = c->layers.C;
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, s, s, h, w, C)), am_shape_of(0, 5, 1, 3, 2, 4));
    return am_reshape(b, x, am_shape_of(B, C, size[0], size[1]));
}

static void check_windows(am_builder *b, const vit_config *c, const int64_t size[2])
{
    if (!am_builder_failed(b) && (size[0] % c->side || size[1] % c->side))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " x %" PRId64 " patches do not divide into %" PRId64 " x %" PRId64
                                    " windows",
                                    size[0], size[1], c->side, c->side));
}

static void backbone(am_builder *b)
{
    vit_config c = read_config(b);
    am_value states[AM_WINDOWED_LAYERS + 1] = {0};
    bool wanted[AM_WINDOWED_LAYERS + 1];
    char output[64];
    int count = (int)c.layers.layers;
    am_scope(b, "embeddings");
    am_value x = am_pixel_values(b, c.image.num_channels);
    x = am_patch_convolution(b, "projection", x, c.layers.C, c.image.patch_size, AM_BIAS);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_image_tokens(b, x);
    if (c.has_positions && !am_builder_failed(b)) x = am_add(b, x, am_positions_behind_class(b, &c.image, x, size));
    am_end_scope(b);
    check_windows(b, &c, size);
    if (am_builder_failed(b)) return;
    am_windowed_layers(b, &c.layers, split(b, &c, x, size), states);
    am_backbone_stages(am_model_config(b), count, wanted);
    for (int i = 0, map = 0; i <= count && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, join(b, &c, states[i], size));
    }
}

static const am_architecture architectures[] = {{"LwDetrViTBackbone", backbone, NULL, 0}, {0}};

const am_model_type am_model_lw_detr_vit = {.name = "lw_detr_vit", .architectures = architectures};

/* RF-DETR's backbone: DINOv2 in windows of the image, each with a class token. transformers:
   models/rf_detr/modeling_rf_detr.py */
#include "models/blocks/windowed_vit.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct vit_config {
    am_image_options image;
    am_windowed_options layers;
    int64_t side; /* windows in a column and in a row */
    bool norms, reshapes;
} vit_config;

/* Layers before the last stage that is read attend in windows, but for those that are read. */
static void read_windows(const am_config *c, vit_config *r)
{
    bool wanted[AM_WINDOWED_LAYERS + 1];
    int count = (int)r->layers.layers, last = 0;
    if (am_config_has(c, "window_block_indexes")) {
        am_marked_layers(c, "window_block_indexes", AM_WINDOWED_LAYERS, r->layers.in_windows);
        return;
    }
    am_backbone_stages(c, count, wanted);
    for (int i = 0; i <= count; i++)
        if (wanted[i]) last = i;
    for (int i = 0; i <= last; i++) r->layers.in_windows[i] = !wanted[i];
}

static vit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 12);
    bool biased = am_config_flag(c, "qkv_bias", true);
    vit_config r = {
        .image = am_image_options_read(c, 224, 14),
        .layers = {.C = C,
                   .layers = am_config_count(c, "num_hidden_layers", 12),
                   .heads = heads,
                   .head_dim = am_config_size(c, "head_dim", C / heads ? C / heads : 1),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                   .qkv_bias = biased,
                   .key_bias = biased,
                   .norm_before = "norm1",
                   .norm_after = "norm2",
                   .attention_scale = "layer_scale1.lambda1",
                   .mlp_scale = "layer_scale2.lambda1",
                   .up = "mlp.fc1",
                   .down = "mlp.fc2",
                   .out = "output.dense",
                   .gated = am_config_flag(c, "use_swiglu_ffn", false)},
        .side = am_config_count(c, "num_windows", 4),
        .norms = am_config_flag(c, "apply_layernorm", true),
        .reshapes = am_config_flag(c, "reshape_hidden_states", true),
    };
    if (r.side < 1) am_config_fail(c, "num_windows", "expected 1 or more");
    if (r.side < 1) r.side = 1;
    r.layers.windows = r.side * r.side;
    int64_t inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    r.layers.inner = r.layers.gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner;
    if (r.layers.layers > AM_WINDOWED_LAYERS) {
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", AM_WINDOWED_LAYERS);
        r.layers.layers = 0;
    }
    read_windows(c, &r);
    return r;
}

/* x: [B, 1 + N, C] -> [B * windows, 1 + N / windows, C], each window behind the class token. Of images that are not
   square rows and columns of patches are taken for one another, as in transformers. */
static am_value split(am_builder *b, const vit_config *c, am_value x, const int64_t patches[2])
{
    int64_t B = am_dim(b, x, 0), s = c->side, h = patches[0] / s, w = patches[1] / s, C = c->layers.C;
    if (s == 1) return x;
    am_value token = am_slice(b, x, 1, 0, 1);
    x = am_reshape(b, am_slice(b, x, 1, 1, AM_SLICE_END), am_shape_of(B, s, w, s, h, C));
    x = am_reshape(b, am_transpose(b, x, 2, 3), am_shape_of(B * s * s, h * w, C));
    token = am_broadcast(b, am_slice(b, token, 0, 0, 1), am_shape_of(B * s * s, 1, C));
    return am_concat2(b, token, x, 1);
}

/* The map of a stage: [B, C, height, width]; tokens of windows where they are not reshaped. */
static am_value feature_map(am_builder *b, const vit_config *c, am_value x, const int64_t patches[2])
{
    int64_t s = c->side, B = am_dim(b, x, 0) / (s * s), h = patches[0] / s, w = patches[1] / s, C = c->layers.C;
    if (c->norms) x = am_layer_norm(b, "layernorm", x, c->layers.layer_norm_eps);
    if (!c->reshapes) return x;
    x = am_reshape(b, am_slice(b, x, 1, 1, AM_SLICE_END), am_shape_of(B, s, s, h, w, C));
    x = am_reshape(b, am_transpose(b, x, 2, 3), am_shape_of(B, patches[0], patches[1], C));
    return am_permute(b, x, am_shape_of(0, 3, 1, 2));
}

static am_value embed(am_builder *b, const vit_config *c, int64_t patches[2])
{
    am_value pixels = am_pixel_values(b, c->image.num_channels);
    bool is_square = am_dim(b, pixels, 2) == am_dim(b, pixels, 3);
    am_scope(b, "embeddings");
    am_value x =
        am_patch_convolution(b, "patch_embeddings.projection", pixels, c->layers.C, c->image.patch_size, AM_BIAS);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, c->layers.C), am_image_tokens(b, x));
    x = am_add(b, x, am_square_positions(b, &c->image, x, patches, is_square, true));
    am_end_scope(b);
    return x;
}

static void backbone(am_builder *b)
{
    vit_config c = read_config(b);
    am_value states[AM_WINDOWED_LAYERS + 1] = {0};
    bool wanted[AM_WINDOWED_LAYERS + 1];
    char output[64];
    int64_t patches[2];
    int count = (int)c.layers.layers;
    am_value x = embed(b, &c, patches);
    if (!am_builder_failed(b) && (patches[0] % c.side || patches[1] % c.side))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " x %" PRId64 " patches do not divide into %" PRId64 " x %" PRId64
                                    " windows",
                                    patches[0], patches[1], c.side, c.side));
    if (am_builder_failed(b)) return;
    am_windowed_layers(b, &c.layers, split(b, &c, x, patches), states);
    am_backbone_stages(am_model_config(b), count, wanted);
    for (int i = 0, map = 0; i <= count && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, feature_map(b, &c, states[i], patches));
    }
}

static const am_architecture architectures[] = {{"RfDetrDinov2Backbone", backbone, NULL, 0}, {0}};

const am_model_type am_model_rf_detr_dinov2 = {.name = "rf_detr_dinov2", .architectures = architectures};

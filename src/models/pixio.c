/* Pixio: ViT with several class tokens, whose mean is what it pools. transformers: models/pixio/modeling_pixio.py */
#include "models/blocks/vit.h"

#include <stdio.h>

static const am_pre_norm_names names = {.layers = "encoder.layer",
                                        .attention = "attention",
                                        .norm_before = "norm1",
                                        .norm_after = "norm2",
                                        .up = "intermediate.dense",
                                        .down = "output.dense"};

typedef struct pixio_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, tokens;
} pixio_config;

static pixio_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1280), heads = am_config_size(c, "num_attention_heads", 16);
    bool no_bias = !am_config_flag(c, "qkv_bias", true);
    pixio_config r = {
        .image = am_image_options_read(c, 256, 16),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
                    .intermediate_size = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4)),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                    .attention = {.heads = heads,
                                  .head_dim = am_config_count(c, "head_dim", 0),
                                  .q = "attention.query",
                                  .k = "attention.key",
                                  .v = "attention.value",
                                  .out = "output.dense",
                                  .no_q_bias = no_bias,
                                  .no_k_bias = no_bias,
                                  .no_v_bias = no_bias,
                                  .mask = am_padding_mask(b, "attention_mask")},
                    .names = &names},
        .hidden_size = C,
        .tokens = am_config_count(c, "n_cls_tokens", 8),
    };
    if (!r.encoder.attention.head_dim) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (r.tokens == 0) am_config_fail(c, "n_cls_tokens", "expected 1 or more, found 0");
    return r;
}

/* Class tokens, then patches: [B, T, C]; patches: how many in a column and in a row. */
static am_value embed(am_builder *b, const pixio_config *c, int64_t patches[2])
{
    int64_t C = c->hidden_size;
    am_value pixels = am_pixel_values(b, c->image.num_channels);
    bool is_square = am_dim(b, pixels, 2) == am_dim(b, pixels, 3);
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embeddings.projection", pixels, C, c->image.patch_size, AM_BIAS);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    x = am_image_tokens(b, x);
    am_value tokens = am_parameter(b, "cls_token", am_shape_of(1, c->tokens, C), x);
    x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), c->tokens, C)), x, 1);
    x = am_add(b, x, am_square_positions(b, &c->image, x, patches, is_square, false));
    am_end_scope(b);
    return x;
}

static void pixio_model(am_builder *b)
{
    pixio_config c = read_config(b);
    int64_t patches[2];
    am_value x = am_pre_norm_layers(b, embed(b, &c, patches), &c.encoder);
    x = am_layer_norm(b, "layernorm", x, c.encoder.layer_norm_eps);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_reduce(b, AM_REDUCE_MEAN, am_slice(b, x, 1, 0, c.tokens), am_shape_of(1), false));
}

/* A stage's feature map: x: [B, T, C], normed and without tokens in rows and columns as the configuration says. */
static am_value feature_map(am_builder *b, const pixio_config *c, am_value x, const int64_t patches[2])
{
    const am_config *config = am_model_config(b);
    const char *norm = am_has_weight(b, "encoder.layernorm.weight") ? "encoder.layernorm" : "layernorm";
    if (am_config_flag(config, "apply_layernorm", true)) x = am_layer_norm(b, norm, x, c->encoder.layer_norm_eps);
    if (!am_config_flag(config, "reshape_hidden_states", true)) return x;
    return am_tokens_image(b, am_slice(b, x, 1, c->tokens, AM_SLICE_END), patches[0], patches[1]);
}

static void backbone(am_builder *b)
{
    pixio_config c = read_config(b);
    int64_t patches[2], layers = c.encoder.num_hidden_layers;
    char output[64];
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *states);
    bool *wanted = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *wanted);
    if (!states || !wanted) {
        am_builder_fail(b, am_out_of_memory());
        return;
    }
    c.encoder.out_states = states;
    am_scope(b, "%s", am_has_weight(b, "encoder.embeddings.cls_token") ? "encoder" : "");
    am_pre_norm_layers(b, embed(b, &c, patches), &c.encoder);
    am_end_scope(b);
    am_backbone_stages(am_model_config(b), (int)layers, wanted);
    for (int i = 0, map = 0; i <= layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, feature_map(b, &c, states[i], patches));
    }
}

static const am_architecture architectures[] = {
    {"PixioModel", pixio_model, "image-feature-extraction", 0},
    {"PixioBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_pixio = {.name = "pixio", .base_prefix = "pixio", .architectures = architectures};

#include "models/blocks/dinov2.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { LAYERS_LIMIT = 256 };

static const am_pre_norm_names names = {.layers = "encoder.layer",
                                        .attention = "attention",
                                        .norm_before = "norm1",
                                        .norm_after = "norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2",
                                        .attention_scale = "layer_scale1.lambda1",
                                        .mlp_scale = "layer_scale2.lambda1"};

typedef struct dinov2_config {
    const am_dinov2_family *family;
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, registers;
} dinov2_config;

/* Gate and up are one projection, silu(gate) * up goes down. */
static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1), inner = o->intermediate_size;
    x = am_linear(b, "mlp.weights_in", x, 2 * inner, AM_BIAS);
    x = am_gated_activation(b, AM_SILU, am_slice(b, x, -1, 0, inner), am_slice(b, x, -1, inner, 2 * inner));
    return am_linear(b, "mlp.weights_out", x, C, AM_BIAS);
}

static dinov2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_dinov2_family *family = am_model_family(b);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 12),
            inner = (int64_t)((double)C * am_config_real(c, "mlp_ratio", 4));
    bool gated = am_config_flag(c, "use_swiglu_ffn", false), biased = am_config_flag(c, "qkv_bias", true);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (inner < 1) am_config_fail(c, "mlp_ratio", "leaves %" PRId64 " channels", inner);
    return (dinov2_config){
        .family = family,
        .image = am_image_options_read(c, 224, family->patch_size),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                    .intermediate_size = gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner,
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                    .attention = {.heads = heads,
                                  .q = "attention.query",
                                  .k = "attention.key",
                                  .v = "attention.value",
                                  .out = "output.dense",
                                  .no_q_bias = !biased,
                                  .no_k_bias = !biased,
                                  .no_v_bias = !biased,
                                  .mask = am_padding_mask(b, "attention_mask")},
                    .names = &names,
                    .mlp = gated ? gated_mlp : NULL},
        .hidden_size = C,
        .registers = family->has_registers ? am_config_count(c, "num_register_tokens", 4) : 0,
    };
}

/* The class token, the registers, then the patches: [B, T, C]; patches: how many in a column and in a row. */
static am_value embed(am_builder *b, const dinov2_config *c, int64_t patches[2])
{
    am_value pixels = am_pixel_values(b, c->image.num_channels);
    bool is_square = am_dim(b, pixels, 2) == am_dim(b, pixels, 3);
    am_scope(b, "embeddings");
    am_value x =
        am_patch_convolution(b, "patch_embeddings.projection", pixels, c->hidden_size, c->image.patch_size, AM_BIAS);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    x = am_mask_patches(b, am_image_tokens(b, x), am_shape_of(1, c->hidden_size));
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, c->hidden_size), x);
    x = am_add(b, x, am_square_positions(b, &c->image, x, patches, is_square, c->family->has_registers));
    if (c->registers) {
        am_shape all = am_shape_of(am_dim(b, x, 0), c->registers, c->hidden_size);
        am_value tokens = am_parameter(b, "register_tokens", am_shape_of(1, c->registers, c->hidden_size), x);
        am_value parts[] = {am_slice(b, x, 1, 0, 1), am_broadcast(b, tokens, all), am_slice(b, x, 1, 1, AM_SLICE_END)};
        x = am_concat(b, parts, 3, 1);
    }
    am_end_scope(b);
    return x;
}

/* Normed last hidden state under `prefix`. */
static am_value body(am_builder *b, const dinov2_config *c, const char *prefix)
{
    int64_t patches[2];
    am_scope(b, "%s", prefix);
    am_value x = am_pre_norm_layers(b, embed(b, c, patches), &c->encoder);
    x = am_layer_norm(b, "layernorm", x, c->encoder.layer_norm_eps);
    am_end_scope(b);
    return x;
}

void am_dinov2_model(am_builder *b)
{
    dinov2_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

/* The class token beside the mean of the patches. */
void am_dinov2_for_image_classification(am_builder *b)
{
    dinov2_config c = read_config(b);
    am_value x = body(b, &c, c.family->prefix);
    am_value patches = am_slice(b, x, 1, 1 + c.registers, AM_SLICE_END);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, patches, am_shape_of(1), false);
    am_value both = am_concat2(b, am_index(b, x, 1, 0), mean, 1);
    am_output(b, "logits", am_linear(b, "classifier", both, am_config_labels(am_model_config(b)), AM_BIAS));
}

/* A stage's feature map: x: [B, T, C], normed and without tokens in rows and columns as the configuration says. */
static am_value feature_map(am_builder *b, const dinov2_config *c, am_value x, const int64_t patches[2])
{
    const am_config *config = am_model_config(b);
    if (am_config_flag(config, "apply_layernorm", true))
        x = am_layer_norm(b, "layernorm", x, c->encoder.layer_norm_eps);
    if (!am_config_flag(config, "reshape_hidden_states", true)) return x;
    x = am_transpose(b, am_slice(b, x, 1, 1 + c->registers, AM_SLICE_END), 1, 2);
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0), c->hidden_size, patches[0], patches[1]));
}

void am_dinov2_backbone(am_builder *b)
{
    dinov2_config c = read_config(b);
    int64_t patches[2], layers = c.encoder.num_hidden_layers;
    am_value states[LAYERS_LIMIT + 1];
    bool wanted[LAYERS_LIMIT + 1];
    char output[64];
    if (layers > LAYERS_LIMIT) {
        am_config_unsupported(am_model_config(b), "num_hidden_layers", "at most %d are supported", LAYERS_LIMIT);
        return;
    }
    c.encoder.out_states = states;
    am_pre_norm_layers(b, embed(b, &c, patches), &c.encoder);
    am_backbone_stages(am_model_config(b), (int)layers, wanted);
    for (int i = 0, map = 0; i <= layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, feature_map(b, &c, states[i], patches));
    }
}

/* EoMT over DINOv2's layers. transformers: models/eomt/modeling_eomt.py */
#include "models/blocks/eomt.h"

static const am_pre_norm_names names = {.attention = "attention",
                                        .norm_before = "norm1",
                                        .norm_after = "norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2",
                                        .attention_scale = "layer_scale1.lambda1",
                                        .mlp_scale = "layer_scale2.lambda1"};

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, AM_BIAS),
             up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, AM_BIAS);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, AM_SILU, gate, up), C, AM_BIAS);
}

static am_pre_norm_options read_layers(const am_config *c, int64_t C)
{
    bool gated = am_config_flag(c, "use_swiglu_ffn", false);
    int64_t heads = am_config_size(c, "num_attention_heads", 16),
            inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    return (am_pre_norm_options){
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner,
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .attention = {.heads = heads},
        .names = &names,
        .mlp = gated ? gated_mlp : NULL,
    };
}

/* The class token, the registers, then the patches with their positions: [B, T, C]. */
static am_value embed(am_builder *b, const am_image_options *image, int64_t C, int64_t registers)
{
    am_value x = am_pixel_values_sized(b, image);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings.projection", x, C, image->patch_size, AM_BIAS);
    x = am_image_tokens(b, x);
    x = am_add(b, x, am_parameter(b, "position_embeddings.weight", am_shape_of(am_dim(b, x, 1), C), x));
    if (registers) {
        am_value tokens = am_parameter(b, "register_tokens", am_shape_of(1, registers, C), x);
        x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), registers, C)), x, 1);
    }
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    am_end_scope(b);
    return x;
}

static void for_universal_segmentation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024), registers = am_config_count(c, "num_register_tokens", 4);
    am_image_options image = am_image_options_read(c, 640, 16);
    am_pre_norm_options layers = read_layers(c, C);
    am_eomt o = am_eomt_read(c, &image, layers.num_hidden_layers);
    o.layers = layers;
    o.prefix = 1 + registers;
    am_eomt_segment(b, embed(b, &image, C, registers), &o);
}

static const am_architecture architectures[] = {
    {"EomtForUniversalSegmentation", for_universal_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_eomt = {.name = "eomt", .base_prefix = "eomt", .architectures = architectures};

/* The image tower of Step 3.7: a Perception Encoder, as its authors name the weights, whose map two convolutions make
   smaller. transformers: models/step3p7/modeling_step3p7.py */
#include "models/blocks/grids.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static const am_pre_norm_names names = {.layers = "transformer.resblocks",
                                        .attention = "attn",
                                        .norm_before = "ln_1",
                                        .norm_after = "ln_2",
                                        .up = "mlp.c_fc",
                                        .down = "mlp.c_proj",
                                        .attention_scale = "ls_1.gamma",
                                        .mlp_scale = "ls_2.gamma"};

/* The weight of a square of positions, for patches[0] x patches[1] of them: [1, patches, C]. */
static am_value positions(am_builder *b, const am_config *c, am_value x, const int64_t patches[2])
{
    am_image_options image = am_image_options_read(c, 728, 14);
    int64_t C = am_dim(b, x, 2), side = image.image_size[0] / image.patch_size[0];
    am_value all = am_unsqueeze(b, am_parameter(b, "positional_embedding", am_shape_of(side * side, C), x), 0);
    if (patches[0] == side && patches[1] == side) return all;
    return am_image_tokens(b, am_image_resized(b, am_tokens_image(b, all, side, side), patches[0], patches[1]));
}

/* Pairs side by side are turned by the column of a patch, and behind them by its row. */
static am_rope rotation(am_builder *b, const am_config *c, const int64_t patches[2], int64_t head_dim)
{
    am_config p = am_config_child(c, "rope_parameters");
    if (am_config_has(&p, "rope_type") && !am_config_is(&p, "rope_type", "axial"))
        am_config_unsupported(&p, "rope_type", "expected \"axial\"");
    am_grid grid = {.t = 1, .h = patches[0], .w = patches[1]};
    am_grids grids = {.items = &grid, .count = 1, .patches = patches[0] * patches[1], .merge = 1};
    am_patch_places places = am_grid_places(b, &grids, NULL), turned = {.height = places.width, .width = places.height};
    am_rope rope = {0};
    if (!am_builder_failed(b))
        rope = am_grid_rope(b, &turned, grids.patches, head_dim, am_config_real(&p, "rope_theta", 10000),
                            AM_GRID_ROPE_SAME);
    rope.interleaved = true;
    return rope;
}

static am_value patches_of(am_builder *b, const am_config *c, int64_t C, int64_t out_patches[2])
{
    am_image_options image = am_image_options_read(c, 728, 14);
    am_value x = am_pixel_values(b, image.num_channels);
    x = am_patch_convolution(b, "conv1", x, C, image.patch_size, AM_NO_BIAS);
    for (int i = 0; i < 2; i++) out_patches[i] = am_dim(b, x, 2 + i);
    return am_image_tokens(b, x);
}

static void vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, am_config_either(c, "hidden_size", "width"), 1536), patches[2],
            heads = am_config_size(c, am_config_either(c, "num_attention_heads", "heads"), 16);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    am_value x = patches_of(b, c, C, patches);
    if (am_builder_failed(b)) return;
    am_rope rope = rotation(b, c, patches, C / heads);
    am_pre_norm_options encoder = {
        .num_hidden_layers = am_config_count(c, am_config_either(c, "num_hidden_layers", "layers"), 47),
        .intermediate_size = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 8960.0 / 1536)),
        .hidden_act = am_config_activation(c, "hidden_act", AM_QUICK_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention = {.heads = heads, .qkv = "in_proj", .qkv_packed = true, .rope = &rope},
        .names = &names};
    x = am_layer_norm(b, "ln_pre", am_add(b, x, positions(b, c, x, patches)), encoder.layer_norm_eps);
    x = am_tokens_image(b, am_pre_norm_layers(b, x, &encoder), patches[0], patches[1]);
    am_convolution_attributes half = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    x = am_conv(b, "vit_downsampler1", x, 2 * C, am_shape_of(3, 3), AM_BIAS, &half);
    x = am_conv(b, "vit_downsampler2", x, 4 * C, am_shape_of(3, 3), AM_BIAS, &half);
    am_output(b, "last_hidden_state", am_image_tokens(b, x));
}

static const am_architecture architectures[] = {
    {"Step3p7VisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_step3p5_vision = {.name = "step3p5_vision", .architectures = architectures};

#include "models/blocks/unlimited_ocr.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

static const am_pre_norm_names names = {.layers = "transformer.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

/* The weight of a class token and the patches of image_size for rows x columns of them: [1, 1 + rows * columns, C]. */
static am_value positions(am_builder *b, const am_config *c, am_value x, int64_t rows, int64_t columns)
{
    am_image_options image = am_image_options_read(c, 224, 14);
    int64_t C = am_dim(b, x, 2), side = image.image_size[0] / image.patch_size[0], count = side * side;
    am_value all = am_parameter(b, "position_embedding.weight", am_shape_of(1 + count, C), x);
    all = am_unsqueeze(b, all, 0);
    if (rows == side && columns == side) return all;
    const int64_t from[] = {side, side}, to[] = {rows, columns};
    am_value grid = am_resize_patches(b, am_slice(b, all, 1, 1, AM_SLICE_END), from, to, true);
    return am_concat2(b, am_slice(b, all, 1, 0, 1), grid, 1);
}

am_value am_unlimited_ocr_look(am_builder *b, const am_config *c, am_value images, const char *sam, const char *encoder,
                               const char *hidden_states)
{
    am_deepseek_ocr2_names eyes = {.sam = sam, .halves = {"net_2", "net_3"}, .sam_names = &am_sam_original_names};
    am_config config = am_config_child(c, "encoder_config");
    int64_t C = am_config_size(&config, "hidden_size", 1024);
    am_pre_norm_options layers = {
        .num_hidden_layers = am_config_count(&config, "num_hidden_layers", 24),
        .intermediate_size = am_config_size(&config, "intermediate_size", 4096),
        .hidden_act = am_config_activation(&config, "hidden_act", AM_QUICK_GELU),
        .layer_norm_eps = am_config_real(&config, "layer_norm_eps", 1e-5),
        .attention = {.heads = am_config_size(&config, "num_attention_heads", 16), .qkv = "qkv_proj"},
        .names = &names,
        .hidden_states = hidden_states};
    am_config_check_divides(&config, "num_attention_heads", layers.attention.heads, "hidden_size", C);
    am_value map = am_deepseek_ocr2_map(b, c, images, &eyes, (const int64_t[]){512, 1024}),
             patches = am_image_tokens(b, map);
    if (am_builder_failed(b)) return AM_NONE;
    if (am_dim(b, map, 1) != C)
        am_config_fail(&config, "hidden_size", "expected the last of downsample_channels, %lld",
                       (long long)am_dim(b, map, 1));
    am_scope(b, "%s", encoder);
    am_scope(b, "embeddings");
    am_value x = am_prepend_token(b, "class_embedding", am_shape_of(C), patches);
    x = am_add(b, x, positions(b, &config, x, am_dim(b, map, 2), am_dim(b, map, 3)));
    am_end_scope(b);
    x = am_pre_norm_layers(b, am_layer_norm(b, "pre_layrnorm", x, layers.layer_norm_eps), &layers);
    am_end_scope(b);
    return am_concat2(b, am_slice(b, x, 1, 1, AM_SLICE_END), patches, 2);
}

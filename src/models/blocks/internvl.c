#include "models/blocks/internvl.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <math.h>
#include <string.h>

const am_internvl_names am_internvl_own_names = {.layers = "encoder.layer",
                                                 .attention = "attention",
                                                 .norm_before = "layernorm_before",
                                                 .norm_after = "layernorm_after",
                                                 .attention_scale = "lambda_1",
                                                 .mlp_scale = "lambda_2",
                                                 .out = "projection_layer",
                                                 .class_token = "cls_token",
                                                 .patches = "patch_embeddings.projection",
                                                 .positions = "position_embeddings"};

const am_internvl_parts am_internvl_own_parts = {.tower = "vision_tower",
                                                 .tower_type = "internvl_vision",
                                                 .projector = "multi_modal_projector",
                                                 .norm = "layer_norm",
                                                 .linear_1 = "linear_1",
                                                 .linear_2 = "linear_2"};

/* --- vision tower --- */

static am_pre_norm_options read_encoder(const am_config *c, int64_t C, const am_internvl_names *n, bool attention_bias)
{
    bool biased = am_config_flag(c, "attention_bias", attention_bias), normed = am_config_flag(c, "use_qk_norm", false);
    const char *norm = am_config_text(c, "norm_type", "layer_norm");
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = am_config_size(c, "intermediate_size", 4096),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .rms_norm = strcmp(norm, "rms_norm") == 0,
        .attention = {.heads = am_config_size(c, "num_attention_heads", 16),
                      .qkv = n->qkv,
                      .out = n->out,
                      .no_q_bias = !biased,
                      .no_k_bias = !biased,
                      .no_v_bias = !biased,
                      .q_norm = normed ? "q_norm" : NULL,
                      .k_norm = normed ? "k_norm" : NULL,
                      .norm_all_heads = true,
                      .norm_eps = 1e-6},
    };
    if (!o.rms_norm && strcmp(norm, "layer_norm") != 0)
        am_config_unsupported(c, "norm_type", "\"%s\" is not supported", norm);
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", C);
    return o;
}

/* Positions of the class token and of rows x columns patches: [1, 1 + P, C], resized where the image is no square of
   the configured size. */
static am_value positions(am_builder *b, const am_image_options *image, int64_t rows, int64_t columns, bool square,
                          am_value x, const char *name)
{
    int64_t count = am_image_patches(image), C = am_dim(b, x, -1);
    am_value all = am_parameter(b, name, am_shape_of(1, 1 + count, C), x);
    if (rows * columns == count && square) return all;
    int64_t side = am_square_side(b, count);
    am_value grid = am_transpose(b, am_slice(b, all, 1, 1, AM_SLICE_END), 1, 2);
    grid = am_resize(b, am_reshape(b, grid, am_shape_of(1, C, side, side)),
                     &(am_resize_attributes){.size = am_shape_of(rows, columns), .mode = AM_RESIZE_CUBIC});
    return am_concat2(b, am_slice(b, all, 1, 0, 1), am_image_tokens(b, grid), 1);
}

static am_value embed(am_builder *b, const am_config *c, int64_t C, const am_internvl_names *n)
{
    am_image_options image = am_image_options_read(c, 448, 14);
    am_value pixels = am_pixel_values(b, image.num_channels);
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, n->patches, pixels, C, image.patch_size, AM_BIAS);
    int64_t rows = am_dim(b, x, 2), columns = am_dim(b, x, 3);
    x = am_prepend_token(b, n->class_token, am_shape_of(1, 1, C), am_image_tokens(b, x));
    if (am_config_flag(c, "use_absolute_position_embeddings", true))
        x = am_add(b, x,
                   positions(b, &image, rows, columns, am_dim(b, pixels, 2) == am_dim(b, pixels, 3), x, n->positions));
    am_end_scope(b);
    return x;
}

void am_internvl_vision(am_builder *b, const am_internvl_names *n, bool attention_bias)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024);
    am_pre_norm_names names = {n->layers, n->attention, n->norm_before,     n->norm_after,
                               "mlp.fc1", "mlp.fc2",    n->attention_scale, n->mlp_scale};
    am_pre_norm_options encoder = read_encoder(c, C, n, attention_bias);
    encoder.names = &names;
    am_value x = am_pre_norm_layers(b, embed(b, c, C, n), &encoder);
    if (!am_config_flag(c, "use_mean_pooling", true)) x = am_layer_norm(b, "layernorm", x, encoder.layer_norm_eps);
    am_output(b, "last_hidden_state", x);
}

/* --- beside the text model --- */

/* One side of the squares that are one row for the text: 1 / downsample_ratio. */
static int64_t fold_factor(const am_config *c)
{
    double ratio = am_config_real(c, "downsample_ratio", 0.5), factor = ratio > 0 ? 1 / ratio : 0;
    if (!(factor >= 1 && factor <= 64) || factor != floor(factor)) {
        am_config_unsupported(c, "downsample_ratio", "expected 1 / 2, 1 / 4 .., found %g", ratio);
        return 1;
    }
    return (int64_t)factor;
}

/* The layer -1 is the tower's answer, normed where the tower ends with a norm. */
static am_value tower_states(am_builder *b, const am_internvl_parts *parts)
{
    static const int last = -1;
    am_part_outputs tower = am_vision_tower(b, parts->tower, parts->tower_type, AM_NONE);
    bool skips_first = am_vision_skips_first(b, "default");
    if (am_config_int(am_model_config(b), "vision_feature_layer", last) != last)
        return am_vision_states(b, &tower, &last, 1, skips_first);
    am_value x = am_part_output(&tower, "last_hidden_state");
    return skips_first ? am_slice(b, x, 1, 1, AM_SLICE_END) : x;
}

am_value am_internvl_rows(am_builder *b, const am_internvl_parts *parts)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_text_width(b);
    am_unary_fn act = am_config_activation(c, "projector_hidden_act", AM_GELU);
    am_value x = tower_states(b, parts);
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    x = am_fold_patches(b, x, side, side, fold_factor(c));
    am_scope(b, "%s", parts->projector);
    x = am_layer_norm(b, parts->norm, x, 1e-5);
    x = am_linear(b, parts->linear_2, am_linear_activation(b, parts->linear_1, x, C, AM_BIAS, act), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

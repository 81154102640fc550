#include "models/blocks/idefics.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

static const am_pre_norm_names names = {.layers = "encoder.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

const am_idefics_tower am_idefics3_tower = {.hidden_size = 1152,
                                            .intermediate_size = 3072,
                                            .num_hidden_layers = 12,
                                            .num_attention_heads = 16,
                                            .image_size = 224,
                                            .patch_size = 32};

/* Boundaries 1/side, 2/side .. below 1: [side - 1]. */
static am_value boundaries(am_builder *b, int64_t side)
{
    float *data = am_arena_array(am_builder_arena(b), (size_t)side, sizeof *data);
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i + 1 < side; i++) data[i] = (float)(1 / (double)side + (double)i / (double)side);
    return am_constant_copy(b, AM_F32, am_shape_of(side - 1), data);
}

/* Which of `side` parts of a length of `used`: I32 [B] patches each of T patches begins in: I32 [B, T]. */
static am_value parts_of(am_builder *b, am_value used, int64_t T, int64_t side)
{
    am_value step = am_unsqueeze(b, am_div(b, am_scalar(b, AM_F32, 1), am_cast(b, used, AM_F32)), 1); /* [B, 1] */
    am_value at = am_mul(b, am_iota(b, AM_F32, am_shape_of(1, T), 1, 0, 1), step);
    if (side == 1) return am_cast(b, am_mul_number(b, at, 0), AM_I32);
    return am_search_sorted(b, boundaries(b, side), am_binary_number(b, AM_MIN, at, 1.0 - 1e-6), true);
}

/* Rows of the table of positions for patches: [B, rows * columns]; those that are none of the image stand at 0. */
static am_value place_ids(am_builder *b, am_value attended, int64_t rows, int64_t columns, int64_t side)
{
    am_value used = am_cast(b, attended, AM_I32);
    am_value high = am_reduce(b, AM_REDUCE_SUM, am_index(b, used, 2, 0), am_shape_of(1), false),
             wide = am_reduce(b, AM_REDUCE_SUM, am_index(b, used, 1, 0), am_shape_of(1), false);
    am_value row = am_mul_number(b, parts_of(b, high, rows, side), (double)side),
             column = parts_of(b, wide, columns, side);
    am_value place = am_add(b, am_unsqueeze(b, row, 2), am_unsqueeze(b, column, 1));
    return am_flatten(b, am_mul(b, place, used), 1, 2);
}

am_value am_idefics_vision(am_builder *b, const am_config *c, const am_idefics_tower *d,
                           const am_idefics_images *images, const char *hidden_states)
{
    am_value attended = images->attended;
    am_image_options image = am_image_options_read(c, d->image_size, d->patch_size);
    int64_t C = am_config_size(c, "hidden_size", d->hidden_size), side = image.image_size[0] / image.patch_size[0];
    am_pre_norm_options encoder = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", d->num_hidden_layers),
        .intermediate_size = am_config_size(c, "intermediate_size", d->intermediate_size),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .attention = {.heads = am_config_size(c, "num_attention_heads", d->num_attention_heads)},
        .names = &names,
        .hidden_states = hidden_states,
    };
    am_config_check_divides(c, "num_attention_heads", encoder.attention.heads, "hidden_size", C);
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embedding", images->pixels, C, image.patch_size, AM_BIAS);
    int64_t B = am_dim(b, x, 0), rows = am_dim(b, x, 2), columns = am_dim(b, x, 3);
    if (attended.id) encoder.attention.mask = am_padding_mask_of(b, am_flatten(b, attended, 1, 2));
    else attended = am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(B, rows, columns));
    am_value places = place_ids(b, attended, rows, columns, side);
    x = am_add(b, am_image_tokens(b, x), am_embedding(b, "position_embedding", places, side * side, C));
    am_end_scope(b);
    x = am_pre_norm_layers(b, x, &encoder);
    return am_layer_norm(b, "post_layernorm", x, encoder.layer_norm_eps);
}

am_idefics_images am_idefics_read_images(am_builder *b, const am_config *vision, int64_t patch_size,
                                         am_reduce_fn belonging)
{
    am_value pixels = am_flatten(b, am_input(b, "pixel_values", 5), 0, 1);
    am_value mask = am_input_optional(b, "pixel_attention_mask", 4);
    am_image_options image = am_image_options_read(vision, patch_size, patch_size);
    if (!mask.id) return (am_idefics_images){pixels, AM_NONE};
    int64_t side = image.patch_size[0], rows = am_dim(b, mask, 2) / side, columns = am_dim(b, mask, 3) / side;
    mask = am_flatten(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), 0, 1);
    mask = am_slice(b, am_slice(b, mask, 1, 0, rows * side), 2, 0, columns * side);
    mask = am_reshape(b, mask, am_shape_of(am_dim(b, mask, 0), rows, side, columns, side));
    return (am_idefics_images){pixels, am_reduce(b, belonging, mask, am_shape_of(2, 4), false)};
}

/* --- Idefics3, SmolVLM --- */

void am_idefics3_vision_model(am_builder *b)
{
    am_idefics_images images = {am_input(b, "pixel_values", 4), am_input_optional(b, "patch_attention_mask", 3)};
    if (images.attended.id && am_dtype_of(b, images.attended) != AM_BOOL)
        images.attended = am_binary_number(b, AM_NOT_EQUAL, images.attended, 0);
    am_output(b, "last_hidden_state", am_idefics_vision(b, am_model_config(b), &am_idefics3_tower, &images, NULL));
}

am_value am_idefics3_rows(am_builder *b, am_value *last_hidden_state)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_idefics_images images = am_idefics_read_images(b, &vision, am_idefics3_tower.patch_size, AM_REDUCE_ANY);
    am_scope(b, "vision_model");
    am_value x = *last_hidden_state = am_idefics_vision(b, &vision, &am_idefics3_tower, &images, "");
    am_end_scope(b);
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    x = am_fold_patches(b, x, side, side, am_config_size(c, "scale_factor", 2));
    return am_linear(b, "connector.modality_projection.proj", x, am_text_width(b), AM_NO_BIAS);
}

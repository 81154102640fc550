#include "models/blocks/vbert.h"

#include "models/blocks/vision_language.h"

#include <string.h>

/* Rows of the input pixel_values: [B, images, channels, height, width], or image_hidden_states: [rows, C]. */
static am_value rows(am_builder *b, const am_vbert_family *f)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    int64_t C = am_config_size(&text, "hidden_size", f->hidden_size);
    if (!am_has_input(b, "pixel_values")) return am_input_optional(b, "image_hidden_states", 2);
    am_input_optional(b, "pixel_attention_mask", 4); /* the tower does not use it */
    am_value pixels = am_flatten(b, am_input(b, "pixel_values", 5), 0, 1);
    am_part_outputs tower = am_vision_tower(b, "vision_model", "siglip_vision_model", pixels);
    am_value x = am_part_output(&tower, "last_hidden_state");
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    x = am_fold_patches(b, x, side, side, am_config_size(c, "pixel_shuffle_factor", 4));
    x = am_flatten(b, am_linear(b, "connector.modality_projection", x, C, AM_NO_BIAS), 0, 1);
    return f->norms ? am_rms_norm(b, "connector.norm", x, am_config_real(&text, "rms_norm_eps", 1e-6), 0) : x;
}

am_value am_vbert_body(am_builder *b, const char *prefix, bool shows_images)
{
    const am_vbert_family *f = am_model_family(b);
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_scope(b, "%s", prefix);
    am_feature_rows features = {.rows = rows(b, f),
                                .ids = am_input(b, "input_ids", 2),
                                .token = am_config_int(c, "image_token_id", f->image_token)};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = f->text_type,
                    .config = &text,
                    .features = &features,
                    .feature_count = features.rows.id ? 1 : 0};
    am_scope(b, "text_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    if (features.rows.id && shows_images) am_output(b, "image_hidden_states", features.rows);
    return am_part_output(&outputs, "last_hidden_state");
}

am_value am_vbert_pool(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    const char *kind = am_config_text(c, "classifier_pooling", "cls");
    if (strcmp(kind, "cls") == 0) return am_index(b, x, 1, 0);
    if (strcmp(kind, "mean") != 0) am_config_fail(c, "classifier_pooling", "expected \"cls\" or \"mean\"");
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value weight = am_unsqueeze(b, am_cast(b, mask, AM_F32), 2);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(1), false);
    return am_div(b, x, am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(1), false));
}

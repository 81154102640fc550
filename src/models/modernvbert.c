/* ModernVBERT: SigLIP's patches, squares of them side by side through one matrix, among the words of a ModernBERT.
   transformers: models/modernvbert/modeling_modernvbert.py */
#include "models/blocks/heads.h"
#include "models/blocks/vision_language.h"

#include <string.h>

/* Rows of the input pixel_values: [B, images, channels, height, width], or image_hidden_states: [rows, C]. */
static am_value rows(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    int64_t C = am_config_size(&text, "hidden_size", 768);
    if (!am_has_input(b, "pixel_values")) return am_input_optional(b, "image_hidden_states", 2);
    am_input_optional(b, "pixel_attention_mask", 4); /* the tower does not use it */
    am_value pixels = am_flatten(b, am_input(b, "pixel_values", 5), 0, 1);
    am_part_outputs tower = am_vision_tower(b, "vision_model", "siglip_vision_model", pixels);
    am_value x = am_part_output(&tower, "last_hidden_state");
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    x = am_fold_patches(b, x, side, side, am_config_size(c, "pixel_shuffle_factor", 4));
    return am_flatten(b, am_linear(b, "connector.modality_projection", x, C, AM_NO_BIAS), 0, 1);
}

/* Final hidden states of the base model under `prefix`: [B, T, C]. */
static am_value body(am_builder *b, const char *prefix, bool shows_images)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_scope(b, "%s", prefix);
    am_feature_rows features = {
        .rows = rows(b), .ids = am_input(b, "input_ids", 2), .token = am_config_int(c, "image_token_id", 50407)};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "modernbert",
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

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b, "", true));
}

/* norm(activation(dense(x))) below the scope NAME. */
static am_value head(am_builder *b, const char *name, am_value x)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    int bias = am_config_flag(&text, "classifier_bias", false) ? AM_BIAS : AM_NO_BIAS;
    double eps = am_config_real(&text, "norm_eps", 1e-5);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1), bias,
                             am_config_activation(&text, "classifier_activation", AM_GELU));
    bool normed = am_config_flag(&text, "norm_bias", false);
    x = normed ? am_layer_norm(b, "norm", x, eps) : am_layer_norm_no_bias(b, "norm", x, eps);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    bool tied = am_config_flag(c, "tie_word_embeddings", false);
    int bias = am_config_flag(&text, "decoder_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_value x = head(b, "projection_head", body(b, "model", true));
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 50368), tied,
                         "model.text_model.embeddings.tok_embeddings.weight", bias));
}

/* x: [B, T, C] -> [B, C], as classifier_pooling says. */
static am_value pool(am_builder *b, am_value x)
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

static void for_sequence_classification(am_builder *b)
{
    am_value x = head(b, "head", pool(b, body(b, "model", false)));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_value x = head(b, "head", body(b, "model", false));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"ModernVBertModel", model, NULL, 0},
    {"ModernVBertForMaskedLM", for_masked_lm, NULL, 0},
    {"ModernVBertForSequenceClassification", for_sequence_classification, NULL, 0},
    {"ModernVBertForTokenClassification", for_token_classification, NULL, 0},
    {0},
};

const am_model_type am_model_modernvbert = {
    .name = "modernvbert", .base_prefix = "model", .architectures = architectures};

/* ViLT: pre-norm layers over the words of a text and the patches of an image, whose positions are resized to what of
   the image is no padding. transformers: models/vilt/modeling_vilt.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/vit.h"

#include <inttypes.h>

enum { IMAGES_LIMIT = 64 };

static const am_vit_family family = {.prefix = "vilt", .derives_head_dim = true};

typedef struct vilt_config {
    am_bert_options text;
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t side;             /* of the square of patches that have positions */
    int64_t modalities;       /* rows of the table of modalities */
    int64_t max_image_length; /* of more patches so many are drawn; below 0: none */
} vilt_config;

/* An image of the run: [B, C', height, width] and where it is no padding, [B, height, width] or AM_NONE. Its place
   among the modalities. */
typedef struct picture {
    am_value pixels, mask;
    int64_t modality;
} picture;

static vilt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    vilt_config v = {.text = am_bert_options_read(c),
                     .image = am_image_options_read(c, 384, 32),
                     .modalities = am_config_size(c, "modality_type_vocab_size", 2),
                     .max_image_length = am_config_int(c, "max_image_length", -1)};
    v.text.max_position_embeddings = am_config_size(c, "max_position_embeddings", 40);
    v.encoder = am_vit_layers_read(c, &family, v.text.hidden_size);
    v.side = v.image.image_size[0] / v.image.patch_size[0];
    if (v.image.image_size[0] != v.image.image_size[1] || v.image.patch_size[0] != v.image.patch_size[1])
        am_config_unsupported(c, "image_size", "positions of images that are not square are not supported");
    if (v.side < 1) am_config_fail(c, "patch_size", "a patch is larger than the image");
    return v;
}

/* --- positions of an image's patches --- */

/* How far `step` of `count`: F32 [B], is from -1 to 1, 0-based, for `all` steps: [B, all]. */
static am_value spread(am_builder *b, am_value count, int64_t all)
{
    am_value last = am_binary_number(b, AM_MAX, am_add_number(b, count, -1), 1);
    am_value at = am_iota(b, AM_F32, am_shape_of(1, all), 1, 0, 2);
    return am_add_number(b, am_div(b, at, am_unsqueeze(b, last, 1)), -1);
}

/* mask: F32 [B, 1, rows, columns], ones in a rectangle at the upper left: positions: [1, C, side, side] stretched over
   that of each image: [B, C, rows, columns]. */
static am_value stretch(am_builder *b, am_value positions, am_value mask)
{
    int64_t B = am_dim(b, mask, 0), C = am_dim(b, positions, 1), rows = am_dim(b, mask, 2),
            columns = am_dim(b, mask, 3);
    am_shape each = am_shape_of(B, rows, columns, 1);
    am_value height = am_reduce(b, AM_REDUCE_SUM, am_index(b, mask, 3, 0), am_shape_of(1, 2), false),
             width = am_reduce(b, AM_REDUCE_SUM, am_index(b, mask, 2, 0), am_shape_of(1, 2), false);
    am_value y = am_reshape(b, spread(b, height, rows), am_shape_of(B, rows, 1, 1)),
             x = am_reshape(b, spread(b, width, columns), am_shape_of(B, 1, columns, 1));
    am_value grid = am_concat2(b, am_broadcast(b, x, each), am_broadcast(b, y, each), 3);
    positions = am_broadcast(b, positions, am_shape_of(B, C, am_dim(b, positions, 2), am_dim(b, positions, 3)));
    am_grid_sample_attributes options = {.mode = AM_RESIZE_LINEAR, .padding = AM_PAD_REPLICATE, .align_corners = true};
    return am_grid_sample(b, positions, grid, &options);
}

/* x: [B, C, rows, columns] with its positions; `all` are those of the class token and the patches, [1, 1 + P, C]. */
static am_value add_positions(am_builder *b, const vilt_config *c, am_value x, am_value all, am_value mask)
{
    int64_t C = am_dim(b, x, 1);
    am_value square = am_transpose(b, am_slice(b, all, 1, 1, AM_SLICE_END), 1, 2);
    square = am_reshape(b, square, am_shape_of(1, C, c->side, c->side));
    if (mask.id) return am_add(b, x, stretch(b, square, mask));
    am_resize_attributes options = {
        .size = am_shape_of(am_dim(b, x, 2), am_dim(b, x, 3)), .mode = AM_RESIZE_LINEAR, .align_corners = true};
    return am_add(b, x, am_resize(b, square, &options));
}

/* Where patches of `like`: [B, C, rows, columns] are no padding: F32 [B, 1, rows, columns], or AM_NONE. */
static am_value patch_mask(am_builder *b, am_value mask, am_value like)
{
    if (!mask.id) return mask;
    mask = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_cast(b, mask, AM_F32), 0), AM_F32);
    am_resize_attributes options = {.size = am_shape_of(am_dim(b, like, 2), am_dim(b, like, 3)),
                                    .mode = AM_RESIZE_NEAREST};
    return am_resize(b, am_unsqueeze(b, mask, 1), &options);
}

static void check_length(am_builder *b, const vilt_config *c, int64_t patches)
{
    if (c->max_image_length >= 0 && patches > c->max_image_length)
        am_config_unsupported(am_model_config(b), "max_image_length",
                              "images have %" PRId64 " patches, of which %" PRId64
                              " would be drawn at random: that is not supported",
                              patches, c->max_image_length);
}

/* --- body --- */

/* x: [B, S, C] and row `modality` of the table of modalities. */
static am_value add_modality(am_builder *b, const vilt_config *c, am_value x, int64_t modality)
{
    am_value row = am_iota(b, AM_I32, am_shape_of(1, 1), 1, (double)modality, 0);
    return am_add(b, x, am_embedding(b, "token_type_embeddings", row, c->modalities, c->text.hidden_size));
}

/* Class token and patches: [B, 1 + N, C]; *attended: which are, [B, 1 + N], or AM_NONE. */
static am_value embed_picture(am_builder *b, const vilt_config *c, const picture *p, am_value *attended)
{
    int64_t C = c->text.hidden_size;
    am_value x = am_patch_convolution(b, "patch_embeddings.projection", p->pixels, C, c->image.patch_size, AM_BIAS);
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + c->side * c->side, C), x);
    am_value mask = patch_mask(b, p->mask, x);
    x = am_image_tokens(b, add_positions(b, c, x, all, mask));
    check_length(b, c, am_dim(b, x, 1));
    am_value token = am_add(b, am_parameter(b, "cls_token", am_shape_of(1, 1, C), x), am_slice(b, all, 1, 0, 1));
    x = am_concat2(b, am_broadcast(b, token, am_shape_of(am_dim(b, x, 0), 1, C)), x, 1);
    *attended = mask.id ? am_join_attended(b, AM_NONE, 1, am_flatten(b, mask, 1, 3), am_dim(b, x, 1) - 1) : AM_NONE;
    return add_modality(b, c, x, p->modality);
}

/* [B, T + 1 + N, C] under `prefix`. */
static am_value body(am_builder *b, const vilt_config *c, const picture *p, const char *prefix)
{
    am_pre_norm_options encoder = c->encoder;
    am_value attended = AM_NONE;
    am_scope(b, "%s", prefix);
    am_scope(b, "embeddings");
    am_scope(b, "text_embeddings");
    am_value text = am_layer_norm(b, "LayerNorm", am_bert_embedding_sum(b, &c->text), c->text.layer_norm_eps);
    am_end_scope(b);
    text = add_modality(b, c, text, 0);
    am_value image = embed_picture(b, c, p, &attended);
    am_end_scope(b);
    attended = am_join_attended(b, am_input_optional(b, "attention_mask", 2), am_dim(b, text, 1), attended,
                                am_dim(b, image, 1));
    encoder.attention.mask = am_padding_mask_of(b, attended);
    if (p->modality > 1) encoder.hidden_states = "";
    am_value x = am_pre_norm_layers(b, am_concat2(b, text, image, 1), &encoder);
    x = am_layer_norm(b, "layernorm", x, encoder.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static picture read_picture(am_builder *b, const vilt_config *c)
{
    return (picture){am_pixel_values(b, c->image.num_channels), am_input_optional(b, "pixel_mask", 3), 1};
}

/* Of the class with that head: [B, T + 1 + N, C]. */
static am_value states(am_builder *b, const vilt_config *c)
{
    picture p = read_picture(b, c);
    return body(b, c, &p, "vilt");
}

/* Of the same, the states of the text: [B, T, C]. */
static am_value text_states(am_builder *b, const vilt_config *c)
{
    am_value text = am_input(b, am_has_input(b, "inputs_embeds") ? "inputs_embeds" : "input_ids", -1);
    return am_slice(b, states(b, c), 1, 0, am_dim(b, text, 1));
}

/* --- classes --- */

static void model(am_builder *b)
{
    vilt_config c = read_config(b);
    picture p = read_picture(b, &c);
    am_value x = body(b, &c, &p, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

static void for_masked_lm(am_builder *b)
{
    vilt_config c = read_config(b);
    am_value x = text_states(b, &c);
    am_scope(b, "mlm_score");
    x = am_linear_activation(b, "transform.dense", x, c.text.hidden_size, AM_BIAS, c.text.hidden_act);
    x = am_layer_norm(b, "transform.LayerNorm", x, c.text.layer_norm_eps);
    x = am_masked_lm_decoder(b, x, c.text.vocab_size, true, "vilt.embeddings.text_embeddings.word_embeddings.weight");
    am_end_scope(b);
    am_output(b, "logits", x);
}

/* Output logits: classifier of x: [B, K], through a layer of `inner` numbers. */
static void classify(am_builder *b, am_value x, int64_t inner)
{
    am_scope(b, "classifier");
    x = am_layer_norm(b, "1", am_linear(b, "0", x, inner, AM_BIAS), 1e-5);
    x = am_linear(b, "3", am_unary(b, AM_GELU, x), am_config_labels(am_model_config(b)), AM_BIAS);
    am_end_scope(b);
    am_output(b, "logits", x);
}

static void for_question_answering(am_builder *b)
{
    vilt_config c = read_config(b);
    classify(b, am_bert_pooler(b, "vilt", states(b, &c)), 2 * c.text.hidden_size);
}

static void for_retrieval(am_builder *b)
{
    vilt_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "rank_output", am_bert_pooler(b, "vilt", states(b, &c)), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    vilt_config c = read_config(b);
    am_output(b, "logits",
              am_linear(b, "classifier", text_states(b, &c), am_config_labels(am_model_config(b)), AM_BIAS));
}

/* Image i of several, [B, images, ..], or the only one. */
static picture picture_of_many(am_builder *b, const vilt_config *c, int i)
{
    bool several = am_rank(b, am_input(b, "pixel_values", -1)) == 5;
    am_value pixels = several ? am_video_values(b, c->image.num_channels) : am_pixel_values(b, c->image.num_channels);
    am_value mask = am_input_optional(b, "pixel_mask", -1);
    if (several) pixels = am_index(b, pixels, 1, i);
    if (am_rank(b, mask) == 4) mask = am_index(b, mask, 1, i);
    return (picture){pixels, mask, i + 1};
}

/* Each image is read beside the same text, and their pooled states are judged together. */
static void for_images_and_text_classification(am_builder *b)
{
    const am_config *config = am_model_config(b);
    vilt_config c = read_config(b);
    int64_t images = am_config_int(config, "num_images", -1);
    am_value pixels = am_input(b, "pixel_values", -1), pooled[IMAGES_LIMIT];
    int64_t given = am_rank(b, pixels) == 5 ? am_dim(b, pixels, 1) : 1;
    if (images < 1 || images > IMAGES_LIMIT) {
        am_config_fail(config, "num_images", "expected 1 to %d", IMAGES_LIMIT);
        return;
    }
    if (given != images)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " images for a text, expected %" PRId64 " (num_images)",
                                    given, images));
    for (int i = 0; i < images && !am_builder_failed(b); i++) {
        picture p = picture_of_many(b, &c, i);
        pooled[i] = am_bert_pooler(b, "vilt", body(b, &c, &p, "vilt"));
    }
    if (am_builder_failed(b)) return;
    classify(b, am_concat(b, pooled, (int)images, -1), images * c.text.hidden_size);
}

static const am_architecture architectures[] = {
    {"ViltModel", model, NULL, 0},
    {"ViltForMaskedLM", for_masked_lm, NULL, 0},
    {"ViltForQuestionAnswering", for_question_answering, NULL, 0},
    {"ViltForImageAndTextRetrieval", for_retrieval, NULL, 0},
    {"ViltForImagesAndTextClassification", for_images_and_text_classification, NULL, 0},
    {"ViltForTokenClassification", for_token_classification, NULL, 0},
    {0},
};

const am_model_type am_model_vilt = {.name = "vilt", .base_prefix = "vilt", .architectures = architectures};

/* LayoutLMv3: one post-norm encoder over the words of a page, which know their boxes, and the patches of its image;
   scores are biased by how far two tokens are apart in the text, and from left to right and top to bottom on the page.
   transformers: models/layoutlmv3/modeling_layoutlmv3.py */
#include "models/blocks/heads.h"
#include "models/blocks/layout.h"
#include "models/blocks/relative.h"
#include "models/blocks/text_classes.h"
#include "models/blocks/vision.h"

#include <math.h>

enum { PAGE = 1000, SIDES = 4, BOTTOM = 3, SHORT_HEAD = 10 }; /* so many labels and more have a head of two layers */

typedef struct layoutlmv3_config {
    am_bert_options body;
    am_box_options boxes;
    am_image_options image;
    int64_t side;                     /* patches along each side of an image */
    int64_t bins, max_distance;       /* of distances in the text */
    int64_t bins_2d, max_distance_2d; /* of those on the page */
    bool relative, spatial;
} layoutlmv3_config;

/* What the encoder reads: the text's tokens, then the image's; either may be absent. */
typedef struct tokens {
    am_value x;        /* [B, T + N, C] */
    am_value places;   /* I32 [1, T + N]: of each token in its part */
    am_value boxes;    /* I32 [1 or B, T + N, 4] */
    am_value attended; /* [B, T + N], or AM_NONE */
} tokens;

static void read_image(const am_config *c, layoutlmv3_config *l)
{
    int64_t size = am_config_size(c, "input_size", 224);
    l->image = am_image_options_read(c, size, 16);
    l->image.image_size[0] = l->image.image_size[1] = size;
    l->side = size / l->image.patch_size[0];
    if (l->image.patch_size[0] != l->image.patch_size[1])
        am_config_unsupported(c, "patch_size", "patches that are not square are not supported");
    if (l->side < 1) am_config_fail(c, "patch_size", "a patch is larger than the image (input_size)");
}

static layoutlmv3_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    layoutlmv3_config l = {
        .body = am_bert_options_read(c),
        .boxes = {.edge_size = am_config_size(c, "coordinate_size", 128),
                  .length_size = am_config_size(c, "shape_size", 128),
                  .clips_lengths = true},
        .bins = am_config_size(c, "rel_pos_bins", 32),
        .max_distance = am_config_size(c, "max_rel_pos", 128),
        .bins_2d = am_config_size(c, "rel_2d_pos_bins", 64),
        .max_distance_2d = am_config_size(c, "max_rel_2d_pos", 256),
        .relative = am_config_flag(c, "has_relative_attention_bias", true),
        .spatial = am_config_flag(c, "has_spatial_attention_bias", true),
    };
    l.body.vocab_size = am_config_size(c, "vocab_size", 50265);
    l.body.layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    l.body.positions_after_pad = am_pad_token(c, 1);
    l.body.is_decoder = false;
    if (SIDES * l.boxes.edge_size + 2 * l.boxes.length_size != l.body.hidden_size)
        am_config_fail(c, "coordinate_size", "4 * coordinate_size + 2 * shape_size is not hidden_size");
    read_image(c, &l);
    return l;
}

static bool has_text(am_builder *b)
{
    return am_has_input(b, "input_ids") || am_has_input(b, "inputs_embeds");
}

/* --- embeddings --- */

static tokens embed_text(am_builder *b, const layoutlmv3_config *c)
{
    am_value parts[AM_BOX_PARTS];
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &c->body);
    int64_t T = am_dim(b, x, 1);
    tokens t = {.places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1), .boxes = am_boxes(b, T)};
    am_box_embeddings(b, t.boxes, &c->boxes, parts);
    x = am_add(b, x, am_concat(b, parts, AM_BOX_PARTS, -1));
    t.x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    am_end_scope(b);
    t.attended = am_input_optional(b, "attention_mask", 2);
    return t;
}

/* Boxes of the class token, nearly the whole page, and of the patches: I32 [1, 1 + side * side, 4]. */
static am_value image_boxes(am_builder *b, int64_t side)
{
    int64_t rows = 1 + side * side;
    int32_t *boxes = am_arena_array(am_builder_arena(b), (size_t)(SIDES * rows), sizeof *boxes);
    if (!boxes) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    boxes[0] = boxes[1] = 1;
    boxes[2] = boxes[BOTTOM] = PAGE - 1;
    for (int64_t i = 0; i < side * side; i++) {
        int64_t row = i / side, column = i % side, at[] = {column, row, column + 1, row + 1};
        for (int j = 0; j < SIDES; j++) boxes[(i + 1) * SIDES + j] = (int32_t)(PAGE * at[j] / side);
    }
    return am_constant_copy(b, AM_I32, am_shape_of(1, rows, SIDES), boxes);
}

static tokens embed_image(am_builder *b, const layoutlmv3_config *c)
{
    int64_t C = c->body.hidden_size, N = 1 + c->side * c->side;
    am_value x = am_patch_convolution(b, "patch_embed.proj", am_pixel_values_sized(b, &c->image), C,
                                      c->image.patch_size, AM_BIAS);
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), am_image_tokens(b, x));
    x = am_add(b, x, am_parameter(b, "pos_embed", am_shape_of(1, N, C), x));
    return (tokens){.x = am_layer_norm(b, "norm", x, 1e-6),
                    .places = am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1),
                    .boxes = image_boxes(b, c->side)};
}

static tokens join(am_builder *b, const tokens *text, const tokens *image)
{
    int64_t B = am_dim(b, text->boxes, 0);
    am_shape boxes = am_shape_of(B, am_dim(b, image->boxes, 1), SIDES);
    return (tokens){.x = am_concat2(b, text->x, image->x, 1),
                    .places = am_concat2(b, text->places, image->places, 1),
                    .boxes = am_concat2(b, text->boxes, am_broadcast(b, image->boxes, boxes), 1),
                    .attended =
                        am_join_attended(b, text->attended, am_dim(b, text->x, 1), AM_NONE, am_dim(b, image->x, 1))};
}

static tokens embed(am_builder *b, const layoutlmv3_config *c)
{
    if (!am_has_input(b, "pixel_values")) return embed_text(b, c);
    tokens image = embed_image(b, c);
    if (has_text(b)) {
        tokens text = embed_text(b, c);
        image = join(b, &text, &image);
    }
    image.x = am_layer_norm(b, "LayerNorm", image.x, c->body.layer_norm_eps);
    return image;
}

/* --- encoder --- */

/* The table NAME.weight: [H, bins] at the buckets of all pairs of positions: I32 [B, T] -> [B, H, T, T]. */
static am_value distance_bias(am_builder *b, const char *name, am_value positions, int64_t bins, int64_t max_distance,
                              const char *key, int64_t heads)
{
    am_value distance = am_sub(b, am_unsqueeze(b, positions, 1), am_unsqueeze(b, positions, 2));
    am_value bucket = am_distance_buckets(b, distance, bins, max_distance, true, key);
    am_value table = am_transpose(b, am_weight(b, name, am_shape_of(heads, bins)), 0, 1);
    return am_permute(b, am_embedding_op(b, table, bucket), am_shape_of(0, 3, 1, 2));
}

/* What all layers add to their scores, or AM_NONE. Distances on the page count beside those in the text only. */
static am_value attention_bias(am_builder *b, const layoutlmv3_config *c, const tokens *t)
{
    int64_t H = c->body.num_attention_heads, D = c->body.hidden_size / H;
    if (!c->relative) return AM_NONE;
    am_scope(b, "encoder");
    am_value bias = distance_bias(b, "rel_pos_bias.weight", t->places, c->bins, c->max_distance, "max_rel_pos", H);
    if (c->spatial) {
        am_value left = am_index(b, t->boxes, 2, 0), bottom = am_index(b, t->boxes, 2, BOTTOM);
        left = distance_bias(b, "rel_pos_x_bias.weight", left, c->bins_2d, c->max_distance_2d, "max_rel_2d_pos", H);
        bottom = distance_bias(b, "rel_pos_y_bias.weight", bottom, c->bins_2d, c->max_distance_2d, "max_rel_2d_pos", H);
        bias = am_add(b, bias, am_add(b, left, bottom));
    }
    am_end_scope(b);
    return am_mul_number(b, bias, 1 / sqrt((double)D));
}

static am_value body(am_builder *b, const char *prefix)
{
    layoutlmv3_config c = read_config(b);
    am_scope(b, "%s", prefix);
    tokens t = embed(b, &c);
    am_bert_attention attention = am_bert_attention_default(b, &c.body);
    attention.projections.mask = am_padding_mask_of(b, t.attended);
    attention.projections.bias = attention_bias(b, &c, &t);
    am_value x = am_bert_layers(b, t.x, &c.body, &attention);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b, ""));
}

static void for_token_classification(am_builder *b)
{
    int64_t labels = am_config_labels(am_model_config(b));
    am_value text = am_input(b, am_has_input(b, "inputs_embeds") ? "inputs_embeds" : "input_ids", -1);
    am_value x = am_slice(b, am_text_body(b), 1, 0, am_dim(b, text, 1));
    bool is_short = labels < SHORT_HEAD;
    am_output(b, "logits",
              is_short ? am_linear(b, "classifier", x, labels, AM_BIAS)
                       : am_classification_head(b, "classifier", x, labels, AM_TANH));
}

static void for_question_answering(am_builder *b)
{
    const am_config *c = am_model_config(b);
    if (am_config_labels(c) != 2) am_config_fail(c, "num_labels", "expected 2: where an answer starts and ends");
    am_value logits = am_classification_head(b, "qa_outputs", am_text_body(b), 2, AM_TANH);
    am_output(b, "start_logits", am_index(b, logits, 2, 0));
    am_output(b, "end_logits", am_index(b, logits, 2, 1));
}

static const am_architecture architectures[] = {
    {"LayoutLMv3Model", model, "feature-extraction", 0},
    {"LayoutLMv3ForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"LayoutLMv3ForTokenClassification", for_token_classification, "token-classification", 0},
    {"LayoutLMv3ForQuestionAnswering", for_question_answering, NULL, 0},
    {0},
};

static const am_text_family family = {.prefix = "layoutlmv3", .body = body};

const am_model_type am_model_layoutlmv3 = {
    .name = "layoutlmv3", .base_prefix = "layoutlmv3", .architectures = architectures, .family = &family};

/* BROS: BERT over words whose queries meet, beside the keys, sines and cosines of how far the corners of two words'
   boxes are apart. transformers: models/bros/modeling_bros.py */
#include "models/blocks/text_classes.h"
#include "models/blocks/vision.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

enum { CORNERS = 8, EDGES = 4, BOX_LIMIT = 64 };

typedef struct bros_config {
    am_bert_options body;
    int64_t dim_bbox; /* numbers of a box */
    int64_t waves;    /* sines, and as many cosines, of each of them */
    double bbox_scale;
} bros_config;

static bros_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bros_config r = {.body = am_bert_options_read(c),
                     .dim_bbox = am_config_size(c, "dim_bbox", CORNERS),
                     .bbox_scale = am_config_real(c, "bbox_scale", 100)};
    int64_t C = r.body.hidden_size, width = am_config_size(c, "dim_bbox_sinusoid_emb_2d", C / 4),
            each = am_config_size(c, "dim_bbox_sinusoid_emb_1d", width / r.dim_bbox);
    if (each % 2 || each * r.dim_bbox != width)
        am_config_fail(c, "dim_bbox_sinusoid_emb_1d",
                       "%" PRId64 " numbers for each of %" PRId64 " of a box do not fill %" PRId64, each, r.dim_bbox,
                       width);
    if (r.dim_bbox > BOX_LIMIT)
        am_config_unsupported(c, "dim_bbox", "boxes of more than %d numbers are not supported", BOX_LIMIT);
    if (am_config_size(c, "dim_bbox_projection", C / r.body.num_attention_heads) != C / r.body.num_attention_heads)
        am_config_fail(c, "dim_bbox_projection", "expected hidden_size / num_attention_heads");
    r.waves = each / 2;
    r.body.is_decoder = false; /* its attention looks both ways either way */
    return r;
}

/* Input bbox, scaled: [B, T, dim_bbox]. Four edges become the x and y of four corners. */
static am_value boxes(am_builder *b, const bros_config *c)
{
    static const int32_t corners[CORNERS] = {0, 1, 2, 1, 2, 3, 0, 3};
    am_value x = am_input(b, "bbox", 3);
    if (am_dim(b, x, 2) == EDGES)
        x = am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(CORNERS), corners), 2, false);
    if (am_dim(b, x, 2) != c->dim_bbox)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "bbox has boxes of %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, x, 2), c->dim_bbox));
    return am_mul_number(b, am_cast(b, x, AM_F32), c->bbox_scale);
}

/* What queries meet of each pair of words, below the body's scope: [B, T, T, D]. */
static am_value box_embeddings(am_builder *b, const bros_config *c)
{
    am_value box = boxes(b, c), waves[2], parts[BOX_LIMIT];
    am_shape shape = am_shape_of(c->waves);
    am_value apart = am_sub(b, am_unsqueeze(b, box, 1), am_unsqueeze(b, box, 2));
    am_scope(b, "bbox_embeddings");
    waves[0] = am_parameter(b, "bbox_sinusoid_emb.x_pos_emb.inv_freq", shape, box);
    waves[1] = am_parameter(b, "bbox_sinusoid_emb.y_pos_emb.inv_freq", shape, box);
    for (int i = 0; i < c->dim_bbox && !am_builder_failed(b); i++) {
        am_value angle = am_mul(b, am_slice(b, apart, 3, i, i + 1), waves[i % 2]);
        parts[i] = am_concat2(b, am_unary(b, AM_SIN, angle), am_unary(b, AM_COS, angle), -1);
    }
    am_value x = am_builder_failed(b) ? AM_NONE : am_concat(b, parts, (int)c->dim_bbox, -1);
    x = am_linear(b, "bbox_projection", x, c->body.hidden_size / c->body.num_attention_heads, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* x: [B, T, C] -> [B, T, C], below the layer. */
static am_value attention(am_builder *b, am_value x, am_value apart, const am_attention_options *o)
{
    am_attention_options with_boxes = *o;
    am_value qkv[3];
    am_scope(b, "attention");
    am_attention_heads(b, x, o, qkv);
    double root = sqrt((double)am_dim(b, qkv[0], 3));
    am_value scores = am_transpose(b, am_matmul(b, qkv[0], apart, false, true), 1, 2); /* [B, H, T, T] */
    with_boxes.bias = am_mul_number(b, scores, 1 / root);
    x = am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &with_boxes));
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    bros_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &c.body), apart = box_embeddings(b, &c);
    am_attention_options projections = am_bert_attention_default(b, &c.body).projections;
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = am_bert_layer_end(b, x, attention(b, x, apart, &projections), &c.body);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

/* --- relations between tokens --- */

/* NAME of x: [B, T, C] in relations: [R, B, T, C]. */
static am_value by_relation(am_builder *b, const char *name, am_value x, int64_t relations)
{
    int64_t C = am_dim(b, x, 2);
    x = am_split_heads(b, am_linear(b, name, x, relations * C, AM_BIAS), relations);
    return am_permute(b, x, am_shape_of(2, 0, 1, 3));
}

/* How well each token of x: [B, T, C] goes on with each other, or with none, which stands last: [B, T, T + 1], or
   [R, B, T, T + 1] for several relations. */
static am_value relations(am_builder *b, const char *name, am_value x)
{
    int64_t R = am_config_size(am_model_config(b), "n_relations", 1), B = am_dim(b, x, 0), C = am_dim(b, x, 2);
    am_scope(b, "%s", name);
    am_value none = am_broadcast(b, am_parameter(b, "dummy_node", am_shape_of(1, C), x), am_shape_of(B, 1, C));
    am_value query = by_relation(b, "query", x, R), key = by_relation(b, "key", am_concat2(b, x, none, 1), R);
    am_end_scope(b);
    x = am_matmul(b, query, key, false, true);
    return R == 1 ? am_squeeze(b, x, 0) : x;
}

/* The lowest number for tokens that are padding, and for each token itself. */
static am_value mask_relations(am_builder *b, am_value x)
{
    int64_t T = am_dim(b, x, -2);
    am_value mask = am_input(b, "attention_mask", 2), lowest = am_scalar(b, AM_F32, -(double)FLT_MAX);
    mask = am_padding_mask_of(b, am_join_attended(b, mask, T, AM_NONE, 1)); /* [B, 1, 1, T + 1] */
    am_value row = am_iota(b, AM_I32, am_shape_of(T, 1), 0, 0, 1),
             column = am_iota(b, AM_I32, am_shape_of(1, T + 1), 1, 0, 1);
    am_value kept = am_binary(b, AM_LOGICAL_AND, am_squeeze(b, mask, 1), am_binary(b, AM_NOT_EQUAL, row, column));
    return am_select(b, kept, x, lowest);
}

static void for_entity_extraction(am_builder *b)
{
    am_value x = am_text_body(b), first = am_linear(b, "initial_token_classifier.1", x, am_dim(b, x, 2), AM_BIAS);
    first = am_linear(b, "initial_token_classifier.3", first, am_config_labels(am_model_config(b)), AM_BIAS);
    am_output(b, "initial_token_logits", first);
    am_output(b, "subsequent_token_logits", mask_relations(b, relations(b, "subsequent_token_classifier", x)));
}

static void for_entity_linking(am_builder *b)
{
    am_output(b, "logits", relations(b, "entity_linker", am_text_body(b)));
}

static const am_architecture architectures[] = {
    {"BrosModel", am_text_model, NULL, 0},
    {"BrosForTokenClassification", am_text_for_token_classification, NULL, 0},
    {"BrosSpadeEEForTokenClassification", for_entity_extraction, NULL, 0},
    {"BrosSpadeELForTokenClassification", for_entity_linking, NULL, 0},
    {0},
};

static const am_text_family family = {.prefix = "bros", .body = body};

const am_model_type am_model_bros = {
    .name = "bros", .base_prefix = "bros", .architectures = architectures, .family = &family};

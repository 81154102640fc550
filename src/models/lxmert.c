/* LXMERT: a text and the regions of an image each have post-norm layers of their own, then layers in which each also
   attends to the other, by one cross-attention for both ways. transformers: models/lxmert/modeling_lxmert.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct lxmert_config {
    am_bert_options body; /* num_hidden_layers: those of the text alone */
    int64_t region_layers, cross_layers;
    int64_t visual_feat_dim, visual_pos_dim, num_qa_labels;
} lxmert_config;

/* States, and which of their tokens are attended, as am_padding_mask gives it. */
typedef struct stream {
    am_value x, mask;
    const char *hidden_states; /* their name */
    int states;                /* named so far */
} stream;

typedef struct lxmert_output {
    am_value language, vision, pooled; /* [B, T, C], [B, N, C], [B, C] */
} lxmert_output;

/* Not am_bert_options_read: num_hidden_layers is a table here, and epsilon and positions are no fields. */
static lxmert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    lxmert_config l = {
        .body = {.vocab_size = am_config_size(c, "vocab_size", 30522),
                 .hidden_size = am_config_size(c, "hidden_size", 768),
                 .num_hidden_layers = am_config_count(c, "l_layers", 9),
                 .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
                 .intermediate_size = am_config_size(c, "intermediate_size", 3072),
                 .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
                 .type_vocab_size = am_config_size(c, "type_vocab_size", 2),
                 .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                 .layer_norm_eps = 1e-12,
                 .positions_after_pad = -1},
        .region_layers = am_config_count(c, "r_layers", 5),
        .cross_layers = am_config_count(c, "x_layers", 5),
        .visual_feat_dim = am_config_size(c, "visual_feat_dim", 2048),
        .visual_pos_dim = am_config_size(c, "visual_pos_dim", 4),
        .num_qa_labels = am_config_size(c, "num_qa_labels", 9500),
    };
    l.body.embedding_size = l.body.hidden_size;
    am_config_check_divides(c, "num_attention_heads", l.body.num_attention_heads, "hidden_size", l.body.hidden_size);
    if (l.body.num_hidden_layers + l.cross_layers < 1 || l.region_layers + l.cross_layers < 1)
        am_config_fail(c, "x_layers", "text and image need a layer each");
    return l;
}

/* The input NAME: [B, N, width]. */
static am_value region_input(am_builder *b, const char *name, int64_t width)
{
    am_value x = am_input(b, name, 3);
    if (x.id && am_dim(b, x, 2) != width)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s has vectors of %lld numbers, expected %lld", name,
                                    (long long)am_dim(b, x, 2), (long long)width));
    return x;
}

/* The mean of what features and boxes give, [B, N, C]. */
static am_value embed_regions(am_builder *b, const lxmert_config *c)
{
    int64_t C = c->body.hidden_size;
    am_value features = region_input(b, "visual_feats", c->visual_feat_dim),
             boxes = region_input(b, "visual_pos", c->visual_pos_dim);
    am_scope(b, "encoder.visn_fc");
    features =
        am_layer_norm(b, "visn_layer_norm", am_linear(b, "visn_fc", features, C, AM_BIAS), c->body.layer_norm_eps);
    boxes = am_layer_norm(b, "box_layer_norm", am_linear(b, "box_fc", boxes, C, AM_BIAS), c->body.layer_norm_eps);
    am_end_scope(b);
    return am_mul_number(b, am_add(b, features, boxes), 0.5);
}

/* SCOPE.PART.query .., SCOPE.output: what x: [B, T, C] reads of context: [B, S, C], residual and norm. */
static am_value attend(am_builder *b, const char *scope, const char *part, am_value x, am_value context, am_value mask,
                       const am_bert_options *o)
{
    am_attention_options projections = {
        .heads = o->num_attention_heads, .q = "query", .k = "key", .v = "value", .out = "", .mask = mask};
    am_scope(b, "%s", scope);
    am_scope(b, "%s", part);
    am_value h = am_cross_attention(b, x, context, &projections);
    am_end_scope(b);
    x = am_add(b, am_linear(b, "output.dense", h, o->hidden_size, AM_BIAS), x);
    x = am_layer_norm(b, "output.LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void keep_state(am_builder *b, stream *s)
{
    am_output_hidden_state(b, s->hidden_states, s->states++, s->x);
}

static void own_layers(am_builder *b, const char *list, int64_t count, stream *s, const am_bert_options *o)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", list, i);
        s->x = attend(b, "attention", "self", s->x, s->x, s->mask, o);
        s->x = am_bert_feed_forward(b, s->x, o);
        am_end_scope(b);
        keep_state(b, s);
    }
}

/* INTER.dense, activation, OUTPUT.dense, residual, norm. */
static am_value feed_forward(am_builder *b, const char *inter, const char *output, am_value x, const am_bert_options *o)
{
    am_scope(b, "%s", inter);
    am_value h = am_linear_activation(b, "dense", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    am_end_scope(b);
    am_scope(b, "%s", output);
    x = am_add(b, am_linear(b, "dense", h, o->hidden_size, AM_BIAS), x);
    x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void cross_layers(am_builder *b, stream *text, stream *image, const lxmert_config *c)
{
    const am_bert_options *o = &c->body;
    for (int i = 0; i < c->cross_layers && !am_builder_failed(b); i++) {
        am_scope(b, "x_layers.%d", i);
        am_value words = attend(b, "visual_attention", "att", text->x, image->x, image->mask, o);
        am_value parts = attend(b, "visual_attention", "att", image->x, text->x, text->mask, o);
        words = attend(b, "lang_self_att", "self", words, words, text->mask, o);
        parts = attend(b, "visn_self_att", "self", parts, parts, image->mask, o);
        text->x = feed_forward(b, "lang_inter", "lang_output", words, o);
        image->x = feed_forward(b, "visn_inter", "visn_output", parts, o);
        am_end_scope(b);
        keep_state(b, text);
        keep_state(b, image);
    }
}

static lxmert_output body(am_builder *b, const lxmert_config *c, const char *prefix)
{
    am_scope(b, "%s", prefix);
    stream text = {.x = am_bert_embeddings(b, &c->body),
                   .mask = am_padding_mask(b, "attention_mask"),
                   .hidden_states = "language_hidden_states"};
    stream image = {.x = embed_regions(b, c),
                    .mask = am_padding_mask(b, "visual_attention_mask"),
                    .hidden_states = "vision_hidden_states"};
    am_scope(b, "encoder");
    own_layers(b, "layer", c->body.num_hidden_layers, &text, &c->body);
    own_layers(b, "r_layers", c->region_layers, &image, &c->body);
    cross_layers(b, &text, &image, c);
    am_end_scope(b);
    am_end_scope(b);
    return (lxmert_output){.language = text.x, .vision = image.x, .pooled = am_bert_pooler(b, prefix, text.x)};
}

static void model(am_builder *b)
{
    lxmert_config c = read_config(b);
    lxmert_output out = body(b, &c, "");
    am_output(b, "language_output", out.language);
    am_output(b, "vision_output", out.vision);
    am_output(b, "pooled_output", out.pooled);
}

static void output_answer(am_builder *b, const lxmert_config *c, am_value pooled)
{
    am_scope(b, "answer_head.logit_fc");
    am_value x = am_linear_activation(b, "0", pooled, 2 * c->body.hidden_size, AM_BIAS, AM_GELU);
    x = am_linear(b, "3", am_layer_norm(b, "2", x, 1e-12), c->num_qa_labels, AM_BIAS);
    am_end_scope(b);
    am_output(b, "question_answering_score", x);
}

/* Without the task of answering, the score is the first number of the first pooled vector. */
static void for_pretraining(am_builder *b)
{
    lxmert_config c = read_config(b);
    lxmert_output out = body(b, &c, "lxmert");
    am_output(b, "prediction_logits", am_bert_lm_logits(b, out.language, &c.body, "lxmert"));
    am_output(b, "cross_relationship_score", am_linear(b, "cls.seq_relationship", out.pooled, 2, AM_BIAS));
    if (am_config_flag(am_model_config(b), "task_qa", true)) output_answer(b, &c, out.pooled);
    else am_output(b, "question_answering_score", am_index(b, am_index(b, out.pooled, 0, 0), 0, 0));
}

static void for_question_answering(am_builder *b)
{
    lxmert_config c = read_config(b);
    output_answer(b, &c, body(b, &c, "lxmert").pooled);
}

static const am_architecture architectures[] = {
    {"LxmertModel", model, NULL, 0},
    {"LxmertForPreTraining", for_pretraining, NULL, 0},
    {"LxmertForQuestionAnswering", for_question_answering, NULL, 0},
    {0},
};

const am_model_type am_model_lxmert = {.name = "lxmert", .base_prefix = "lxmert", .architectures = architectures};

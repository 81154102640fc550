/* LiLT: two post-norm encoders side by side, one over the text and a thinner one over the boxes of its words;
   both attend by the sum of their scores. transformers: models/lilt/modeling_lilt.py */
#include "models/blocks/layout.h"
#include "models/blocks/text_classes.h"

#include <math.h>

typedef struct lilt_config {
    am_bert_options text, layout; /* the layout's widths are the text's / channel_shrink_ratio */
} lilt_config;

static lilt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    lilt_config l = {.text = am_bert_options_read(c)};
    int64_t shrink = am_config_size(c, "channel_shrink_ratio", 4);
    l.text.positions_after_pad = am_pad_token(c, 0);
    l.text.is_decoder = false;
    am_config_check_divides(c, "channel_shrink_ratio", shrink * l.text.num_attention_heads, "hidden_size",
                            l.text.hidden_size);
    am_config_check_divides(c, "number of box embeddings", AM_BOX_PARTS, "hidden_size", l.text.hidden_size);
    l.layout = l.text;
    l.layout.hidden_size /= shrink;
    l.layout.intermediate_size /= shrink;
    return l;
}

/* -> [B, T, layout width] */
static am_value layout_embeddings(am_builder *b, const lilt_config *c, am_value ids)
{
    int64_t T = am_dim(b, ids, 1), C = c->layout.hidden_size;
    am_value parts[AM_BOX_PARTS], places = am_bert_positions(b, &c->text, am_dim(b, ids, 1));
    am_scope(b, "layout_embeddings");
    int64_t width = c->text.hidden_size / AM_BOX_PARTS;
    am_box_embeddings(b, am_boxes(b, T), &(am_box_options){.edge_size = width, .length_size = width}, parts);
    am_value x = am_linear(b, "box_linear_embeddings", am_concat(b, parts, AM_BOX_PARTS, -1), C, AM_BIAS);
    x = am_add(b, x, am_embedding(b, "box_position_embeddings", places, c->text.max_position_embeddings, C));
    x = am_layer_norm(b, "LayerNorm", x, c->text.layer_norm_eps);
    am_end_scope(b);
    return x;
}

typedef struct projections {
    am_value q, k, v; /* [B, T, H, D], queries divided by the root of D */
} projections;

static am_value heads_of(am_builder *b, const char *name, am_value x, const am_bert_options *o)
{
    return am_split_heads(b, am_linear(b, name, x, o->hidden_size, AM_BIAS), o->num_attention_heads);
}

static projections project(am_builder *b, const char *const names[3], am_value x, const am_bert_options *o)
{
    double root = sqrt((double)(o->hidden_size / o->num_attention_heads));
    return (projections){.q = am_mul_number(b, heads_of(b, names[0], x, o), 1 / root),
                         .k = heads_of(b, names[1], x, o),
                         .v = heads_of(b, names[2], x, o)};
}

/* dense, residual and LayerNorm below NAME: [B, T, C] */
static am_value attention_output(am_builder *b, const char *name, am_value heads, am_value residual,
                                 const am_bert_options *o)
{
    am_scope(b, "%s", name);
    am_value x = am_linear(b, "dense", am_merge_heads(b, heads), o->hidden_size, AM_BIAS);
    x = am_layer_norm(b, "LayerNorm", am_add(b, x, residual), o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* The sum of both scores is one product: queries and keys of text and layout joined. */
static void attention(am_builder *b, am_value *text, am_value *layout, const lilt_config *c, am_value mask)
{
    static const char *const of_text[] = {"self.query", "self.key", "self.value"};
    static const char *const of_layout[] = {"self.layout_query", "self.layout_key", "self.layout_value"};
    projections t = project(b, of_text, *text, &c->text), l = project(b, of_layout, *layout, &c->layout);
    am_attention_inputs inputs = {
        .q = am_concat2(b, t.q, l.q, -1), .k = am_concat2(b, t.k, l.k, -1), .v = t.v, .mask = mask};
    am_attention_attributes unscaled = {.scale = 1};
    *text = attention_output(b, "output", am_attention_op(b, &inputs, &unscaled), *text, &c->text);
    inputs.v = l.v;
    *layout = attention_output(b, "layout_output", am_attention_op(b, &inputs, &unscaled), *layout, &c->layout);
}

/* linear, activation, linear, residual, norm of the layout: its names carry a prefix */
static am_value layout_feed_forward(am_builder *b, am_value x, const am_bert_options *o)
{
    am_value h = am_linear_activation(b, "layout_intermediate.dense", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    h = am_linear(b, "layout_output.dense", h, o->hidden_size, AM_BIAS);
    return am_layer_norm(b, "layout_output.LayerNorm", am_add(b, h, x), o->layer_norm_eps);
}

static am_value encoder(am_builder *b, am_value text, am_value layout, const lilt_config *c)
{
    am_value mask = am_flat_padding_mask(b);
    am_output_hidden_state(b, "hidden_states", 0, text);
    for (int i = 0; i < c->text.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        am_scope(b, "attention");
        attention(b, &text, &layout, c, mask);
        am_end_scope(b);
        text = am_bert_feed_forward(b, text, &c->text);
        layout = layout_feed_forward(b, layout, &c->layout);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, text);
    }
    return text;
}

static am_value body(am_builder *b, const char *prefix)
{
    lilt_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value text = am_bert_embeddings(b, &c.text);
    am_value x = encoder(b, text, layout_embeddings(b, &c, am_input(b, "input_ids", 2)), &c);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"LiltModel", am_text_model, "feature-extraction", 0},
    {"LiltForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"LiltForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"LiltForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "lilt", .body = body};

const am_model_type am_model_lilt = {
    .name = "lilt", .base_prefix = "lilt", .architectures = architectures, .family = &family};

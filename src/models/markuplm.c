/* MarkupLM: RoBERTa over the text of a page of HTML, whose tokens know the path to their node: tags and numbers of all
   levels. transformers: models/markuplm/modeling_markuplm.py */
#include "models/blocks/text_classes.h"

enum { DEPTH_LIMIT = 256 };

static const double UNATTENDED = -10000; /* what is added to scores: not the lowest number */

typedef struct markuplm_config {
    am_bert_options body;
    int64_t max_depth, unit_hidden_size;
    int64_t tags, subscripts; /* rows of their tables */
    int64_t tag_pad, subscript_pad;
} markuplm_config;

static markuplm_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    markuplm_config m = {.body = am_bert_options_read(c),
                         .max_depth = am_config_size(c, "max_depth", 50),
                         .unit_hidden_size = am_config_size(c, "xpath_unit_hidden_size", 32),
                         .tags = am_config_size(c, "max_xpath_tag_unit_embeddings", 256),
                         .subscripts = am_config_size(c, "max_xpath_subs_unit_embeddings", 1024),
                         .tag_pad = am_config_int(c, "tag_pad_id", 216),
                         .subscript_pad = am_config_int(c, "subs_pad_id", 1001)};
    m.body.positions_after_pad = am_pad_token(c, 0);
    m.body.is_decoder = false;
    if (m.max_depth > DEPTH_LIMIT)
        am_config_unsupported(c, "max_depth", "paths of more than %d nodes are not supported", DEPTH_LIMIT);
    return m;
}

/* Tables TABLE.0 .. for the levels of the input NAME: [B, T, max_depth], padding where it is not given:
   [1 or B, T, max_depth * unit_hidden_size]. */
static am_value path(am_builder *b, const markuplm_config *c, const char *name, const char *table, int64_t rows,
                     int64_t pad, int64_t T)
{
    am_value ids = am_input_optional(b, name, 3), levels[DEPTH_LIMIT] = {AM_NONE};
    if (!ids.id) ids = am_iota(b, AM_I32, am_shape_of(1, T, c->max_depth), 2, (double)pad, 0);
    for (int i = 0; i < c->max_depth && i < DEPTH_LIMIT && !am_builder_failed(b); i++) {
        am_scope(b, "%s", table);
        am_scope(b, "%d", i);
        am_value weight = am_weight(b, "weight", am_shape_of(rows, c->unit_hidden_size));
        levels[i] = am_embedding_op(b, weight, am_index(b, ids, 2, i));
        am_end_scope(b);
        am_end_scope(b);
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, levels, (int)c->max_depth, -1);
}

static am_value embeddings(am_builder *b, const markuplm_config *c)
{
    int64_t C = c->body.hidden_size;
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &c->body);
    int64_t T = am_dim(b, x, 1);
    am_scope(b, "xpath_embeddings");
    am_value h = path(b, c, "xpath_tags_seq", "xpath_tag_sub_embeddings", c->tags, c->tag_pad, T);
    h = am_add(b, h, path(b, c, "xpath_subs_seq", "xpath_subs_sub_embeddings", c->subscripts, c->subscript_pad, T));
    h = am_linear_activation(b, "xpath_unitseq2_inner", h, 4 * C, AM_BIAS, AM_RELU);
    h = am_linear(b, "inner2emb", h, C, AM_BIAS);
    am_end_scope(b);
    x = am_layer_norm(b, "LayerNorm", am_add(b, x, h), c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* The input attention_mask as what is added to scores: [B, 1, 1, T], or AM_NONE. */
static am_value mask_bias(am_builder *b)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return mask;
    am_value outside = am_add_number(b, am_mul_number(b, am_cast(b, mask, AM_F32), -1), 1);
    return am_unsqueeze(b, am_unsqueeze(b, am_mul_number(b, outside, UNATTENDED), 1), 1);
}

static am_value body(am_builder *b, const char *prefix)
{
    markuplm_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_bert_attention attention = am_bert_attention_default(b, &c.body);
    attention.projections.mask = AM_NONE;
    attention.projections.bias = mask_bias(b);
    am_value x = am_bert_layers(b, embeddings(b, &c), &c.body, &attention);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"MarkupLMModel", am_text_model, "feature-extraction", 0},
    {"MarkupLMForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"MarkupLMForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"MarkupLMForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "markuplm", .body = body};

const am_model_type am_model_markuplm = {
    .name = "markuplm", .base_prefix = "markuplm", .architectures = architectures, .family = &family};

/* LUKE: RoBERTa over words and entities together; entities stand at the mean of their words' positions, and
   queries have projections of their own for each pair of kinds. transformers: models/luke/modeling_luke.py */
#include "models/blocks/text_classes.h"

#include <math.h>

typedef struct luke_config {
    am_bert_options body;
    int64_t entity_vocab_size, entity_emb_size, labels;
    bool use_entity_aware_attention;
} luke_config;

static luke_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    luke_config l = {.body = am_bert_options_read(c),
                     .entity_vocab_size = am_config_size(c, "entity_vocab_size", 500000),
                     .entity_emb_size = am_config_size(c, "entity_emb_size", 256),
                     .labels = am_config_labels(c),
                     .use_entity_aware_attention = am_config_flag(c, "use_entity_aware_attention", true)};
    l.body.vocab_size = am_config_size(c, "vocab_size", 50267);
    l.body.positions_after_pad = am_pad_token(c, 1);
    l.body.is_decoder = false;
    return l;
}

/* Input entity_position_ids: [B, E, M] (of choices [B, N, E, M], flattened), -1 where there is no word. */
static am_value entity_positions(am_builder *b)
{
    am_value places = am_input(b, "entity_position_ids", -1);
    return am_rank(b, places) == 4 ? am_flatten(b, places, 0, 1) : places;
}

/* Mean of the positions of an entity's words: [B, E, C] */
static am_value mean_position(am_builder *b, const luke_config *c, am_value places)
{
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, places, -1), AM_F32);
    am_value rows = am_embedding(b, "position_embeddings", am_binary_number(b, AM_MAX, places, 0),
                                 c->body.max_position_embeddings, c->body.hidden_size);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_mul(b, rows, am_unsqueeze(b, real, 3)), am_shape_of(2), false);
    am_value count = am_binary_number(b, AM_MAX, am_reduce(b, AM_REDUCE_SUM, real, am_shape_of(2), true), 1e-7);
    return am_div(b, sum, count);
}

static am_value entity_embeddings(am_builder *b, const luke_config *c, am_value entities)
{
    int64_t C = c->body.hidden_size;
    am_value types = am_flat_input(b, "entity_token_type_ids");
    if (!types.id) types = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, entities, 1)), 1, 0, 0);
    am_scope(b, "entity_embeddings");
    am_value x = am_embedding(b, "entity_embeddings", entities, c->entity_vocab_size, c->entity_emb_size);
    if (c->entity_emb_size != C) x = am_linear(b, "entity_embedding_dense", x, C, AM_NO_BIAS);
    x = am_add(b, x, mean_position(b, c, entity_positions(b)));
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", types, c->body.type_vocab_size, C));
    x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* Input `name`: I32 [B, n], or ones. */
static am_value mask_or_ones(am_builder *b, const char *name, int64_t B, int64_t n)
{
    am_value mask = am_flat_input(b, name);
    return mask.id ? mask : am_iota(b, AM_I32, am_shape_of(B, n), 1, 1, 0);
}

/* Of words and then entities: BOOL [B, 1, 1, T + E]. */
static am_value joined_mask(am_builder *b, int64_t B, int64_t T, int64_t E)
{
    am_value mask =
        am_concat2(b, mask_or_ones(b, "attention_mask", B, T), mask_or_ones(b, "entity_attention_mask", B, E), 1);
    return am_reshape(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), am_shape_of(B, 1, 1, T + E));
}

static am_value heads_of(am_builder *b, const char *name, am_value x, const luke_config *c)
{
    return am_split_heads(b, am_linear(b, name, x, c->body.hidden_size, AM_BIAS), c->body.num_attention_heads);
}

/* Queries against words in the first half of a head, against entities in the second: [B, T + E, H, 2 D]. */
static am_value paired_queries(am_builder *b, am_value words, am_value entities, const luke_config *c)
{
    am_value of_words = am_concat2(b, heads_of(b, "query", words, c), heads_of(b, "w2e_query", words, c), 3);
    am_value of_entities =
        am_concat2(b, heads_of(b, "e2w_query", entities, c), heads_of(b, "e2e_query", entities, c), 3);
    return am_concat2(b, of_words, of_entities, 1);
}

/* Keys of words in the first half, of entities in the second, zeros in the other. */
static am_value paired_keys(am_builder *b, am_value keys, int64_t T)
{
    int64_t D = am_dim(b, keys, 3);
    return am_concat2(b, am_pad_zero(b, am_slice(b, keys, 1, 0, T), 3, 0, D),
                      am_pad_zero(b, am_slice(b, keys, 1, T, AM_SLICE_END), 3, D, 0), 1);
}

/* x: [B, T + E, C], T words before the entities */
static am_value attention(am_builder *b, am_value x, int64_t T, const luke_config *c, am_value mask)
{
    bool paired = c->use_entity_aware_attention && am_dim(b, x, 1) > T;
    am_scope(b, "attention.self");
    am_value k = heads_of(b, "key", x, c), v = heads_of(b, "value", x, c);
    am_value q = paired ? paired_queries(b, am_slice(b, x, 1, 0, T), am_slice(b, x, 1, T, AM_SLICE_END), c)
                        : heads_of(b, "query", x, c);
    am_attention_inputs inputs = {.q = q, .k = paired ? paired_keys(b, k, T) : k, .v = v, .mask = mask};
    double D = (double)(c->body.hidden_size / c->body.num_attention_heads);
    x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = 1 / sqrt(D)}));
    am_end_scope(b);
    return x;
}

/* Words and entities of the body: [B, T, C] and [B, E, C]; entities AM_NONE when none are given. */
typedef struct states {
    am_value words, entities;
} states;

static states split(am_builder *b, am_value x, int64_t T)
{
    if (am_dim(b, x, 1) == T) return (states){.words = x};
    return (states){am_slice(b, x, 1, 0, T), am_slice(b, x, 1, T, AM_SLICE_END)};
}

static void output_states(am_builder *b, int i, states s)
{
    am_output_hidden_state(b, "hidden_states", i, s.words);
    if (s.entities.id) am_output_hidden_state(b, "entity_hidden_states", i, s.entities);
}

static states whole_body(am_builder *b, const char *prefix)
{
    luke_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &c.body), entities = am_flat_input(b, "entity_ids"), mask;
    int64_t T = am_dim(b, x, 1);
    if (entities.id) {
        mask = joined_mask(b, am_dim(b, x, 0), T, am_dim(b, entities, 1));
        x = am_concat2(b, x, entity_embeddings(b, &c, entities), 1);
    } else {
        mask = am_flat_padding_mask(b);
    }
    output_states(b, 0, split(b, x, T));
    for (int i = 0; i < c.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = am_bert_layer_end(b, x, attention(b, x, T, &c, mask), &c.body);
        am_end_scope(b);
        output_states(b, i + 1, split(b, x, T));
    }
    am_end_scope(b);
    return split(b, x, T);
}

static am_value body(am_builder *b, const char *prefix)
{
    return whole_body(b, prefix).words;
}

static void luke_model(am_builder *b)
{
    states s = whole_body(b, "");
    am_output(b, "last_hidden_state", s.words);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", s.words));
    if (s.entities.id) am_output(b, "entity_last_hidden_state", s.entities);
}

static am_value entity_logits(am_builder *b, am_value x, const luke_config *c)
{
    am_scope(b, "entity_predictions");
    x = am_linear_activation(b, "transform.dense", x, c->entity_emb_size, AM_BIAS, c->body.hidden_act);
    x = am_layer_norm(b, "transform.LayerNorm", x, c->body.layer_norm_eps);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    x = am_masked_lm_decoder(b, x, c->entity_vocab_size, tied, "luke.entity_embeddings.entity_embeddings.weight");
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    luke_config c = read_config(b);
    states s = whole_body(b, "luke");
    am_output(b, "logits", am_roberta_lm_logits(b, s.words, &c.body, "luke"));
    if (s.entities.id) am_output(b, "entity_logits", entity_logits(b, s.entities, &c));
}

/* --- heads over entities --- */

static states with_entities(am_builder *b)
{
    am_input(b, "entity_ids", 2);
    return whole_body(b, "luke");
}

static void for_entity_classification(am_builder *b)
{
    am_value first = am_index(b, with_entities(b).entities, 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", first, read_config(b).labels, AM_BIAS));
}

static void for_entity_pair_classification(am_builder *b)
{
    am_value entities = with_entities(b).entities;
    am_value pair = am_concat2(b, am_index(b, entities, 1, 0), am_index(b, entities, 1, 1), 1);
    am_output(b, "logits", am_linear(b, "classifier", pair, read_config(b).labels, AM_NO_BIAS));
}

/* Rows of words: [B, T, C] at the input `name`: [B, E]. */
static am_value words_at(am_builder *b, am_value words, const char *name)
{
    am_value at = am_input(b, name, 2);
    am_shape s = am_shape_of(am_dim(b, at, 0), am_dim(b, at, 1), am_dim(b, words, 2));
    return am_gather(b, words, am_broadcast(b, am_unsqueeze(b, at, 2), s), 1, true);
}

static void for_entity_span_classification(am_builder *b)
{
    states s = with_entities(b);
    am_value parts[] = {words_at(b, s.words, "entity_start_positions"), words_at(b, s.words, "entity_end_positions"),
                        s.entities};
    am_output(b, "logits", am_linear(b, "classifier", am_concat(b, parts, 3, 2), read_config(b).labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"LukeModel", luke_model, "feature-extraction", 0},
    {"LukeForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"LukeForEntityClassification", for_entity_classification, NULL, 0},
    {"LukeForEntityPairClassification", for_entity_pair_classification, NULL, 0},
    {"LukeForEntitySpanClassification", for_entity_span_classification, NULL, 0},
    {"LukeForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"LukeForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"LukeForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"LukeForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "luke", .body = body};

const am_model_type am_model_luke = {
    .name = "luke", .base_prefix = "luke", .architectures = architectures, .family = &family};

/* ALBERT: BERT's post-norm layers with shared weights: embeddings are projected to the layers' width, and
   num_hidden_layers steps run through num_hidden_groups groups of inner_group_num layers, each group serving
   a run of steps. transformers: models/albert/modeling_albert.py */
#include "models/blocks/attention.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct albert_config {
    am_bert_options body;
    int64_t num_hidden_groups, inner_group_num, labels;
    bool tied;
} albert_config;

static albert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    albert_config a = {.body = am_bert_options_read(c),
                       .labels = am_config_labels(c),
                       .tied = am_config_flag(c, "tie_word_embeddings", true)};
    a.body.vocab_size = am_config_size(c, "vocab_size", 30000);
    a.body.embedding_size = am_config_size(c, "embedding_size", 128);
    a.body.hidden_size = am_config_size(c, "hidden_size", 4096);
    a.body.num_attention_heads = am_config_size(c, "num_attention_heads", 64);
    a.body.intermediate_size = am_config_size(c, "intermediate_size", 16384);
    a.body.hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    a.num_hidden_groups = am_config_size(c, "num_hidden_groups", 1);
    a.inner_group_num = am_config_count(c, "inner_group_num", 1);
    am_config_check_divides(c, "num_attention_heads", a.body.num_attention_heads, "hidden_size", a.body.hidden_size);
    return a;
}

static am_value layer(am_builder *b, am_value x, const am_bert_options *o, am_value mask)
{
    am_attention_options attention = {
        .heads = o->num_attention_heads, .q = "query", .k = "key", .v = "value", .out = "dense", .mask = mask};
    am_scope(b, "attention");
    x = am_layer_norm(b, "LayerNorm", am_add(b, x, am_self_attention(b, x, &attention)), o->layer_norm_eps);
    am_end_scope(b);
    am_value h = am_linear_activation(b, "ffn", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    h = am_linear(b, "ffn_output", h, o->hidden_size, AM_BIAS);
    return am_layer_norm(b, "full_layer_layer_norm", am_add(b, h, x), o->layer_norm_eps);
}

/* the layers of one group; *recorded counts hidden states */
static am_value group(am_builder *b, am_value x, const albert_config *c, am_value mask, int index, int *recorded)
{
    am_scope(b, "albert_layer_groups.%d", index);
    for (int i = 0; i < c->inner_group_num && !am_builder_failed(b); i++) {
        am_scope(b, "albert_layers.%d", i);
        x = layer(b, x, &c->body, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", (*recorded)++, x);
    }
    am_end_scope(b);
    return x;
}

static am_value encoder(am_builder *b, am_value x, const albert_config *c)
{
    am_value mask = am_flat_padding_mask(b);
    double steps_a_group = (double)c->body.num_hidden_layers / (double)c->num_hidden_groups;
    int recorded = 0;
    am_scope(b, "encoder");
    x = am_linear(b, "embedding_hidden_mapping_in", x, c->body.hidden_size, AM_BIAS);
    am_output_hidden_state(b, "hidden_states", recorded++, x);
    for (int64_t i = 0; i < c->body.num_hidden_layers && !am_builder_failed(b); i++)
        x = group(b, x, c, mask, (int)((double)i / steps_a_group), &recorded);
    am_end_scope(b);
    return x;
}

/* prefix "albert" in classes with heads, "" in AlbertModel itself. -> [B, T, C] */
static am_value body(am_builder *b, const albert_config *c, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = encoder(b, am_bert_embeddings(b, &c->body), c);
    am_end_scope(b);
    return x;
}

/* tanh of a linear of the first token: [B, C] */
static am_value pooler(am_builder *b, const char *prefix, am_value x)
{
    am_scope(b, "%s", prefix);
    x = am_linear_activation(b, "pooler", am_index(b, x, 1, 0), am_dim(b, x, -1), AM_BIAS, AM_TANH);
    am_end_scope(b);
    return x;
}

static am_value mlm_logits(am_builder *b, const albert_config *c, am_value x)
{
    am_scope(b, "predictions");
    x = am_linear_activation(b, "dense", x, c->body.embedding_size, AM_BIAS, c->body.hidden_act);
    x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    x = am_masked_lm_decoder(b, x, c->body.vocab_size, c->tied, "albert.embeddings.word_embeddings.weight");
    am_end_scope(b);
    return x;
}

static void albert_model(am_builder *b)
{
    albert_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.weight")) am_output(b, "pooler_output", pooler(b, "", x));
}

static void for_pretraining(am_builder *b)
{
    albert_config c = read_config(b);
    am_value x = body(b, &c, "albert");
    am_output(b, "prediction_logits", mlm_logits(b, &c, x));
    am_output(b, "sop_logits", am_linear(b, "sop_classifier.classifier", pooler(b, "albert", x), c.labels, AM_BIAS));
}

static void for_masked_lm(am_builder *b)
{
    albert_config c = read_config(b);
    am_output(b, "logits", mlm_logits(b, &c, body(b, &c, "albert")));
}

static void for_sequence_classification(am_builder *b)
{
    albert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", pooler(b, "albert", body(b, &c, "albert")), c.labels, AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    albert_config c = read_config(b);
    am_output_choices(b, am_linear(b, "classifier", pooler(b, "albert", body(b, &c, "albert")), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    albert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c, "albert"), c.labels, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    albert_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c, "albert"));
}

static const am_architecture architectures[] = {
    {"AlbertModel", albert_model, "feature-extraction", 0},
    {"AlbertForPreTraining", for_pretraining, NULL, 0},
    {"AlbertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"AlbertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"AlbertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"AlbertForTokenClassification", for_token_classification, "token-classification", 0},
    {"AlbertForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_albert = {.name = "albert", .base_prefix = "albert", .architectures = architectures};

/* DistilBERT: BERT without token types and pooler, its weights under other names: token and position
   embeddings, then post-norm layers: attention, add, norm, feed-forward, add, norm. transformers:
   models/distilbert/modeling_distilbert.py */
#include "models/blocks/attention.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

static const double LAYER_NORM_EPS = 1e-12; /* not configurable */

typedef struct distilbert_config {
    am_bert_options body;
    int64_t labels;
    bool tied;
} distilbert_config;

static distilbert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    distilbert_config d = {
        .body =
            {
                .vocab_size = am_config_size(c, "vocab_size", 30522),
                .hidden_size = am_config_size(c, am_config_either(c, "dim", "hidden_size"), 768),
                .num_hidden_layers = am_config_count(c, am_config_either(c, "n_layers", "num_hidden_layers"), 6),
                .num_attention_heads = am_config_size(c, am_config_either(c, "n_heads", "num_attention_heads"), 12),
                .intermediate_size = am_config_size(c, "hidden_dim", 3072),
                .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
                .hidden_act = am_config_activation(c, "activation", AM_GELU),
                .layer_norm_eps = LAYER_NORM_EPS,
                .positions_after_pad = -1,
            },
        .labels = am_config_labels(c),
        .tied = am_config_flag(c, "tie_word_embeddings", true),
    };
    d.body.embedding_size = d.body.hidden_size;
    am_config_check_divides(c, "n_heads", d.body.num_attention_heads, "dim", d.body.hidden_size);
    return d;
}

static am_value feed_forward(am_builder *b, am_value x, const am_bert_options *o)
{
    am_scope(b, "ffn");
    x = am_linear_activation(b, "lin1", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    x = am_linear(b, "lin2", x, o->hidden_size, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const am_bert_options *o, am_value mask)
{
    am_attention_options attention = {
        .heads = o->num_attention_heads, .q = "q_lin", .k = "k_lin", .v = "v_lin", .out = "out_lin", .mask = mask};
    am_scope(b, "attention");
    am_value h = am_self_attention(b, x, &attention);
    am_end_scope(b);
    x = am_layer_norm(b, "sa_layer_norm", am_add(b, h, x), LAYER_NORM_EPS);
    return am_layer_norm(b, "output_layer_norm", am_add(b, feed_forward(b, x, o), x), LAYER_NORM_EPS);
}

/* prefix "distilbert" in classes with heads, "" in DistilBertModel itself. -> [B, T, C] */
static am_value body(am_builder *b, const am_bert_options *o, const char *prefix)
{
    am_value mask = am_flat_padding_mask(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, o);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "transformer.layer.%d", i);
        x = layer(b, x, o, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

/* relu of a linear of the first token: [B, C] */
static am_value pooled(am_builder *b, const distilbert_config *c)
{
    am_value first = am_index(b, body(b, &c->body, "distilbert"), 1, 0);
    return am_linear_activation(b, "pre_classifier", first, c->body.hidden_size, AM_BIAS, AM_RELU);
}

static void distilbert_model(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c.body, ""));
}

static void for_masked_lm(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_value x = body(b, &c.body, "distilbert");
    x = am_linear_activation(b, "vocab_transform", x, c.body.hidden_size, AM_BIAS, c.body.hidden_act);
    x = am_layer_norm(b, "vocab_layer_norm", x, LAYER_NORM_EPS);
    x = am_lm_head(b, "vocab_projector", x, c.body.vocab_size, c.tied, "distilbert.embeddings.word_embeddings.weight",
                   AM_BIAS);
    am_output(b, "logits", x);
}

static void for_sequence_classification(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", pooled(b, &c), c.labels, AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_output_choices(b, am_linear(b, "classifier", pooled(b, &c), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c.body, "distilbert"), c.labels, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    distilbert_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c.body, "distilbert"));
}

static const am_architecture architectures[] = {
    {"DistilBertModel", distilbert_model, "feature-extraction", 0},
    {"DistilBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"DistilBertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"DistilBertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"DistilBertForTokenClassification", for_token_classification, "token-classification", 0},
    {"DistilBertForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_distilbert = {
    .name = "distilbert", .base_prefix = "distilbert", .architectures = architectures};

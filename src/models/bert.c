/* BERT: token, position and type embeddings, then post-norm encoder layers: attention, add, norm, feed-forward, add, norm.
   As a decoder (is_decoder) attention is causal. transformers: models/bert/modeling_bert.py */
#include "models/blocks/attention.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct bert_config {
    am_bert_options body;
    int64_t labels;
    bool tied;
} bert_config;

static bert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (bert_config){.body = am_bert_options_read(c), .labels = am_config_labels(c), .tied = am_config_flag(c, "tie_word_embeddings", true)};
}

/* prefix "bert" in classes with heads, "" in BertModel itself. -> [B, T, C] */
static am_value body(am_builder *b, const bert_config *c, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &c->body);
    x = am_bert_encoder(b, x, &c->body);
    am_end_scope(b);
    return x;
}

/* tanh of a linear of the first token: [B, C] */
static am_value pooler(am_builder *b, const char *prefix, am_value x)
{
    am_scope(b, "%s", prefix);
    am_value pooled = am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0), am_dim(b, x, -1), AM_BIAS, AM_TANH);
    am_end_scope(b);
    return pooled;
}

static am_value mlm_logits(am_builder *b, const bert_config *c, am_value x)
{
    am_scope(b, "cls.predictions");
    x = am_last_position_if_wanted(b, x);
    x = am_linear_activation(b, "transform.dense", x, c->body.hidden_size, AM_BIAS, c->body.hidden_act);
    x = am_layer_norm(b, "transform.LayerNorm", x, c->body.layer_norm_eps);
    am_shape shape = am_shape_of(c->body.vocab_size, c->body.hidden_size);
    am_value table = c->tied ? am_weight_absolute(b, "bert.embeddings.word_embeddings.weight", shape) : am_weight(b, "decoder.weight", shape);
    x = am_linear_with(b, x, table, am_weight(b, "bias", am_shape_of(c->body.vocab_size)));
    am_end_scope(b);
    return x;
}

static void bert_model(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", pooler(b, "", x));
}

static void for_masked_lm(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", mlm_logits(b, &c, body(b, &c, "bert")));
}

static void for_pretraining(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = body(b, &c, "bert");
    am_output(b, "prediction_logits", mlm_logits(b, &c, x));
    am_output(b, "seq_relationship_logits", am_linear(b, "cls.seq_relationship", pooler(b, "bert", x), 2, AM_BIAS));
}

static void for_next_sentence_prediction(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "cls.seq_relationship", pooler(b, "bert", body(b, &c, "bert")), 2, AM_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", pooler(b, "bert", body(b, &c, "bert")), c.labels, AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_choices(b, am_linear(b, "classifier", pooler(b, "bert", body(b, &c, "bert")), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c, "bert"), c.labels, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c, "bert"));
}

static const am_architecture architectures[] = {
    {"BertModel", bert_model, "feature-extraction", 0},
    {"BertForPreTraining", for_pretraining, NULL, 0},
    {"BertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"BertLMHeadModel", for_masked_lm, "text-generation", AM_GENERATES},
    {"BertForNextSentencePrediction", for_next_sentence_prediction, NULL, 0},
    {"BertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"BertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"BertForTokenClassification", for_token_classification, "token-classification", 0},
    {"BertForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_bert = {.name = "bert", .base_prefix = "bert", .architectures = architectures};

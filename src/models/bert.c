/* BERT: token, position and type embeddings, then post-norm encoder layers: attention, add, norm,
   feed-forward, add, norm. As a decoder (is_decoder) attention is causal, and with add_cross_attention a
   part that attends to given states follows it. transformers: models/bert/modeling_bert.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct bert_config {
    am_bert_options body;
    int64_t labels;
} bert_config;

static bert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (bert_config){.body = am_bert_decoder_options_read(c), .labels = am_config_labels(c)};
}

static am_value body(am_builder *b, const bert_config *c)
{
    return am_bert_body(b, &c->body, "bert");
}

static am_value pooled(am_builder *b, const bert_config *c)
{
    return am_bert_pooler(b, "bert", body(b, c));
}

static void bert_model(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = am_bert_body(b, &c.body, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

static void for_masked_lm(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, body(b, &c), &c.body, "bert"));
}

static void for_pretraining(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = body(b, &c);
    am_output(b, "prediction_logits", am_bert_lm_logits(b, x, &c.body, "bert"));
    am_output(b, "seq_relationship_logits",
              am_linear(b, "cls.seq_relationship", am_bert_pooler(b, "bert", x), 2, AM_BIAS));
}

static void for_next_sentence_prediction(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "cls.seq_relationship", pooled(b, &c), 2, AM_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", pooled(b, &c), c.labels, AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_choices(b, am_linear(b, "classifier", pooled(b, &c), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c), c.labels, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c));
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

/* BERT: token, position and type embeddings, then post-norm encoder layers: attention, add, norm,
   feed-forward, add, norm. As a decoder (is_decoder) attention is causal, and with add_cross_attention a
   part that attends to given states follows it. transformers: models/bert/modeling_bert.py */
#include "models/blocks/bert_classes.h"

static const am_architecture architectures[] = {
    {"BertModel", am_bert_model, "feature-extraction", 0},
    {"BertForPreTraining", am_bert_for_pretraining, NULL, 0},
    {"BertForMaskedLM", am_bert_for_masked_lm, "fill-mask", 0},
    {"BertLMHeadModel", am_bert_for_masked_lm, "text-generation", AM_GENERATES},
    {"BertForNextSentencePrediction", am_bert_for_next_sentence_prediction, NULL, 0},
    {"BertForSequenceClassification", am_bert_for_sequence_classification, "text-classification", 0},
    {"BertForMultipleChoice", am_bert_for_multiple_choice, NULL, 0},
    {"BertForTokenClassification", am_bert_for_token_classification, "token-classification", 0},
    {"BertForQuestionAnswering", am_bert_for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_bert = {.name = "bert", .base_prefix = "bert", .architectures = architectures};

/* CamemBERT: RoBERTa of French. transformers: models/camembert/modeling_camembert.py */
#include "models/blocks/roberta.h"

static const am_architecture architectures[] = {
    {"CamembertModel", am_roberta_model, "feature-extraction", 0},
    {"CamembertForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"CamembertForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"CamembertForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"CamembertForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"CamembertForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"CamembertForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_camembert = {
    .name = "camembert", .base_prefix = "roberta", .architectures = architectures};

/* XLM-RoBERTa: RoBERTa of a hundred languages. transformers: models/xlm_roberta/modeling_xlm_roberta.py */
#include "models/blocks/roberta.h"

static const am_architecture architectures[] = {
    {"XLMRobertaModel", am_roberta_model, "feature-extraction", 0},
    {"XLMRobertaForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"XLMRobertaForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"XLMRobertaForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"XLMRobertaForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"XLMRobertaForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"XLMRobertaForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_xlm_roberta = {
    .name = "xlm-roberta", .base_prefix = "roberta", .architectures = architectures};

/* RoBERTa: blocks/roberta.h with nothing added. transformers: models/roberta/modeling_roberta.py */
#include "models/blocks/roberta.h"

static const am_architecture architectures[] = {
    {"RobertaModel", am_roberta_model, "feature-extraction", 0},
    {"RobertaForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"RobertaForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"RobertaForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"RobertaForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"RobertaForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"RobertaForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_roberta = {.name = "roberta", .base_prefix = "roberta", .architectures = architectures};

/* data2vec of texts: RoBERTa trained otherwise. transformers: models/data2vec/modeling_data2vec_text.py */
#include "models/blocks/roberta.h"

static const am_architecture architectures[] = {
    {"Data2VecTextModel", am_roberta_model, "feature-extraction", 0},
    {"Data2VecTextForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"Data2VecTextForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"Data2VecTextForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"Data2VecTextForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"Data2VecTextForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"Data2VecTextForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

static const am_roberta_family family = {.prefix = "data2vec_text", .vocab_size = 30522};

const am_model_type am_model_data2vec_text = {
    .name = "data2vec-text", .base_prefix = "data2vec_text", .architectures = architectures, .family = &family};

/* XLM: post-norm layers over words, positions and languages. transformers: models/xlm/modeling_xlm.py */
#include "models/blocks/xlm.h"

static const am_architecture architectures[] = {
    {"XLMModel", am_text_model, "feature-extraction", 0},
    {"XLMWithLMHeadModel", am_xlm_for_language_modeling, "fill-mask", AM_GENERATES | AM_RECOMPUTES},
    {"XLMForSequenceClassification", am_xlm_for_sequence_classification, "text-classification", 0},
    {"XLMForMultipleChoice", am_xlm_for_multiple_choice, NULL, 0},
    {"XLMForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"XLMForQuestionAnsweringSimple", am_text_for_question_answering, "question-answering", 0},
    {"XLMForQuestionAnswering", am_xlm_for_question_answering, NULL, 0},
    {0},
};

static const am_xlm_family family = {.text = {.prefix = "transformer", .body = am_xlm_body}};

const am_model_type am_model_xlm = {
    .name = "xlm", .base_prefix = "transformer", .architectures = architectures, .family = &family};

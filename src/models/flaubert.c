/* FlauBERT: XLM, whose norms may stand before the parts of a layer. transformers: models/flaubert/modeling_flaubert.py
 */
#include "models/blocks/xlm.h"

static const am_architecture architectures[] = {
    {"FlaubertModel", am_text_model, "feature-extraction", 0},
    {"FlaubertWithLMHeadModel", am_xlm_for_language_modeling, "fill-mask", AM_GENERATES | AM_RECOMPUTES},
    {"FlaubertForSequenceClassification", am_xlm_for_sequence_classification, "text-classification", 0},
    {"FlaubertForMultipleChoice", am_xlm_for_multiple_choice, NULL, 0},
    {"FlaubertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"FlaubertForQuestionAnsweringSimple", am_text_for_question_answering, "question-answering", 0},
    {"FlaubertForQuestionAnswering", am_xlm_for_question_answering, NULL, 0},
    {0},
};

static const am_xlm_family family = {
    .text = {.prefix = "transformer", .body = am_xlm_body}, .reads_pre_norm = true, .forgets_lengths = true};

const am_model_type am_model_flaubert = {
    .name = "flaubert", .base_prefix = "transformer", .architectures = architectures, .family = &family};

/* mBART: BART with norms before the parts of a layer and one behind the last layer; the first token of the decoder is
   the language. transformers: models/mbart/modeling_mbart.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"MBartModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"MBartForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"MBartForSequenceClassification", am_bart_for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"MBartForQuestionAnswering", am_bart_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {"MBartForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"MBartDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {
    .pad_token_id = 1, .start_token_id = -1, .pre_norm = true, .shift = AM_BART_SHIFT_LAST};

const am_model_type am_model_mbart = {
    .name = "mbart", .base_prefix = "model", .architectures = architectures, .family = &family};

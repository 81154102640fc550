/* BART: the encoder and decoder of blocks/bart.h with nothing added: post-norm layers, learned positions from row 2 of
   their table, embeddings normed; the word table serves encoder, decoder and head. transformers:
   models/bart/modeling_bart.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"BartModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"BartForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"BartForSequenceClassification", am_bart_for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"BartForQuestionAnswering", am_bart_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {"BartForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"BartDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {
    .pad_token_id = 1, .labels = 3, .start_token_id = 2, .shift = AM_BART_SHIFT_START};

const am_model_type am_model_bart = {
    .name = "bart", .base_prefix = "model", .architectures = architectures, .family = &family};

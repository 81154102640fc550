/* UMT5: mT5 where every block has its own biases of distances. transformers: models/umt5/modeling_umt5.py */
#include "models/blocks/t5.h"

static const am_architecture architectures[] = {
    {"UMT5Model", am_t5_model, "feature-extraction", AM_ENCODER_DECODER},
    {"UMT5ForConditionalGeneration", am_t5_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"UMT5EncoderModel", am_t5_encoder_model, "feature-extraction", 0},
    {"UMT5ForSequenceClassification", am_t5_for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"UMT5ForTokenClassification", am_t5_for_token_classification, "token-classification", 0},
    {"UMT5ForQuestionAnswering", am_t5_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {0},
};

static const am_t5_family family = {.vocab_size = 250112,
                                    .d_ff = 1024,
                                    .num_layers = 8,
                                    .num_heads = 6,
                                    .feed_forward_proj = "gated-gelu",
                                    .always_scales = true,
                                    .own_biases = true};

const am_model_type am_model_umt5 = {
    .name = "umt5", .base_prefix = "transformer", .architectures = architectures, .family = &family};

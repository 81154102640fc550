/* T5: the encoder and decoder of blocks/t5.h with nothing added. transformers: models/t5/modeling_t5.py */
#include "models/blocks/t5.h"

static const am_architecture architectures[] = {
    {"T5Model", am_t5_model, "feature-extraction", AM_ENCODER_DECODER},
    {"T5ForConditionalGeneration", am_t5_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"T5EncoderModel", am_t5_encoder_model, "feature-extraction", 0},
    {"T5ForSequenceClassification", am_t5_for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"T5ForTokenClassification", am_t5_for_token_classification, "token-classification", 0},
    {"T5ForQuestionAnswering", am_t5_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_t5 = {.name = "t5", .base_prefix = "transformer", .architectures = architectures};

/* PLBART: BART, smaller, with scaled embeddings and the language at the end of the text.
   transformers: models/plbart/modeling_plbart.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"PLBartModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"PLBartForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"PLBartForSequenceClassification", am_bart_for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"PLBartForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"PLBartDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 50005,
                                      .d_model = 768,
                                      .layers = 6,
                                      .heads = 12,
                                      .ffn_dim = 3072,
                                      .pad_token_id = 1,
                                      .scale_embedding = true,
                                      .start_token_id = -1,
                                      .shift = AM_BART_SHIFT_LAST};

const am_model_type am_model_plbart = {
    .name = "plbart", .base_prefix = "model", .architectures = architectures, .family = &family};

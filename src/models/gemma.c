/* Gemma: see blocks/gemma.h. transformers: models/gemma/modeling_gemma.py */
#include "models/blocks/gemma.h"

static const am_architecture architectures[] = {
    {"GemmaModel", am_decoder_model, "feature-extraction", 0},
    {"GemmaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"GemmaForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"GemmaForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

const am_model_type am_model_gemma = {
    .name = "gemma", .base_prefix = "model", .architectures = architectures, .family = &am_gemma_family};

/* Ministral: Mistral where some layers may see all. transformers: models/ministral/modeling_ministral.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (o->sliding_window) am_decoder_read_sliding(c, o, 0, 0);
}

static const am_architecture architectures[] = {
    {"MinistralModel", am_decoder_model, "feature-extraction", 0},
    {"MinistralForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"MinistralForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"MinistralForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"MinistralForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .whole_heads = true},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_ministral = {
    .name = "ministral", .base_prefix = "model", .architectures = architectures, .family = &family};

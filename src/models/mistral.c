/* Mistral: LLaMA where every layer looks back through a window.
   transformers: models/mistral/modeling_mistral.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
}

static const am_architecture architectures[] = {
    {"MistralModel", am_decoder_model, "feature-extraction", 0},
    {"MistralForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"MistralForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"MistralForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"MistralForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_mistral = {
    .name = "mistral", .base_prefix = "model", .architectures = architectures, .family = &family};

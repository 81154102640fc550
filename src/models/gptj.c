/* GPT-J: the decoder of blocks/gptj.h with a projection each for queries, keys and values. transformers:
   models/gptj/modeling_gptj.py */
#include "models/blocks/gptj.h"

static am_value body(am_builder *b, const char *prefix)
{
    return am_gptj_body(b, prefix, am_self_attention);
}

static const am_architecture architectures[] = {
    {"GPTJModel", am_causal_model, "feature-extraction", 0},
    {"GPTJForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"GPTJForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"GPTJForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 50400, .untied = true, .embedding = "transformer.wte.weight", .head_bias = true};

const am_model_type am_model_gptj = {
    .name = "gptj", .base_prefix = "transformer", .architectures = architectures, .family = &family};

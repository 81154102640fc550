/* GPT-2: blocks/gpt2.h with nothing added. transformers: models/gpt2/modeling_gpt2.py */
#include "models/blocks/gpt2.h"

static am_value body(am_builder *b, const char *prefix)
{
    static const am_gpt_config defaults = {
        .n_positions = 1024, .n_embd = 768, .n_layer = 12, .n_head = 12, .layer_norm_epsilon = 1e-5};
    am_gpt2 m = am_gpt2_read(b, defaults, AM_GELU_TANH);
    return am_gpt2_body(b, &m, prefix);
}

static const am_architecture architectures[] = {
    {"GPT2Model", am_causal_model, "feature-extraction", 0},
    {"GPT2LMHeadModel", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"GPT2DoubleHeadsModel", am_causal_double_heads, NULL, AM_GENERATES},
    {"GPT2ForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"GPT2ForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"GPT2ForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 50257, .embedding = "transformer.wte.weight"};

const am_model_type am_model_gpt2 = {
    .name = "gpt2", .base_prefix = "transformer", .architectures = architectures, .family = &family};

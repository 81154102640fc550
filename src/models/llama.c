/* LLaMA: the decoder of blocks/decoder.h with nothing added. transformers: models/llama/modeling_llama.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    /* No field of the class's, but transformers' cache keeps no more than it says. */
    if (!am_config_has(c, "layer_types")) o->cache_window = am_decoder_size_or_none(c, "sliding_window", 0);
}

static const am_architecture architectures[] = {
    {"LlamaModel", am_decoder_model, "feature-extraction", 0},
    {"LlamaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"LlamaForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"LlamaForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"LlamaForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.whole_heads = true}, .adapt = adapt, .question_answering_prefix = "transformer"};

const am_model_type am_model_llama = {
    .name = "llama", .base_prefix = "model", .architectures = architectures, .family = &family};

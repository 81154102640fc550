/* Qwen2: LLaMA with biases on queries, keys and values; upper layers may look through a window.
   transformers: models/qwen2/modeling_qwen2.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = true;
    if (!am_config_flag(c, "use_sliding_window", false)) return;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, am_config_int(c, "max_window_layers", 28), 0);
}

static const am_architecture architectures[] = {
    {"Qwen2Model", am_decoder_model, "feature-extraction", 0},
    {"Qwen2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Qwen2ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Qwen2ForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .intermediate_size = 22016,
                 .num_key_value_heads = 32,
                 .max_position_embeddings = 32768,
                 .whole_heads = true},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_qwen2 = {
    .name = "qwen2", .base_prefix = "model", .architectures = architectures, .family = &family};

/* Qwen3: LLaMA with an RMSNorm on each query and key head before the rotation; upper layers may look through
   a window. transformers: models/qwen3/modeling_qwen3.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    if (!am_config_flag(c, "use_sliding_window", false)) return;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, am_config_int(c, "max_window_layers", 28), 0);
}

static const am_architecture architectures[] = {
    {"Qwen3Model", am_decoder_model, "feature-extraction", 0},
    {"Qwen3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Qwen3ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Qwen3ForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .intermediate_size = 22016,
                 .num_key_value_heads = 32,
                 .head_dim = 128,
                 .max_position_embeddings = 32768,
                 .whole_heads = true},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_qwen3 = {
    .name = "qwen3", .base_prefix = "model", .architectures = architectures, .family = &family};

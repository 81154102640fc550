/* Seed-OSS: LLaMA with biases on queries, keys and values. transformers: models/seed_oss/modeling_seed_oss.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "attention_bias", true);
    o->out_bias = am_config_flag(c, "attention_out_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

static const am_architecture architectures[] = {
    {"SeedOssModel", am_decoder_model, "feature-extraction", 0},
    {"SeedOssForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"SeedOssForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"SeedOssForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"SeedOssForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 155136,
                 .intermediate_size = 27648,
                 .num_hidden_layers = 64,
                 .num_attention_heads = 80,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 524288,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 1},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_seed_oss = {
    .name = "seed_oss", .base_prefix = "model", .architectures = architectures, .family = &family};

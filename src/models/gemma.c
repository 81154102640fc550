/* Gemma: LLaMA with norms that multiply by 1 + weight and embeddings scaled by sqrt(hidden_size).
   transformers: models/gemma/modeling_gemma.py */
#include "models/blocks/decoder.h"

#include <math.h>

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    if (o->hidden_act == AM_GELU) o->hidden_act = AM_GELU_TANH; /* what the first files meant by "gelu" */
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norm_weight_offset = 1;
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->both_ways = am_config_flag(c, "use_bidirectional_attention", false);
}

static const am_architecture architectures[] = {
    {"GemmaModel", am_decoder_model, "feature-extraction", 0},
    {"GemmaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"GemmaForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"GemmaForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 3072,
                 .intermediate_size = 24576,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 16,
                 .head_dim = 256,
                 .max_position_embeddings = 8192,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_gemma = {
    .name = "gemma", .base_prefix = "model", .architectures = architectures, .family = &family};

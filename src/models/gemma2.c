/* Gemma 2: LLaMA with norms that multiply by 1 + weight, also after attention and after the MLP; embeddings
   scaled by sqrt(hidden_size); attention scores and logits under soft caps; every other layer looks through a
   window. transformers: models/gemma2/modeling_gemma2.py */
#include "models/blocks/gemma.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_gemma2_adapt(c, o);
    o->norms = &am_gemma_norms;
    o->both_ways = am_config_flag(c, "use_bidirectional_attention", false);
}

static const am_architecture architectures[] = {
    {"Gemma2Model", am_decoder_model, "feature-extraction", 0},
    {"Gemma2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Gemma2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Gemma2ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 2304,
                 .intermediate_size = 9216,
                 .num_hidden_layers = 26,
                 .num_attention_heads = 8,
                 .num_key_value_heads = 4,
                 .head_dim = 256,
                 .max_position_embeddings = 8192,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_gemma2 = {
    .name = "gemma2", .base_prefix = "model", .architectures = architectures, .family = &family};

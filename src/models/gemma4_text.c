/* Gemma 4, the text model. transformers: models/gemma4/modeling_gemma4.py */
#include "models/blocks/gemma4.h"

static const am_architecture architectures[] = {
    {"Gemma4TextModel", am_gemma4_text_model, "feature-extraction", 0},
    {"Gemma4ForCausalLM", am_gemma4_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_gemma4_family family = {.defaults = {.vocab_size = 262144,
                                                     .hidden_size = 2304,
                                                     .intermediate_size = 9216,
                                                     .num_hidden_layers = 30,
                                                     .num_attention_heads = 8,
                                                     .num_key_value_heads = 4,
                                                     .head_dim = 256,
                                                     .max_position_embeddings = 131072,
                                                     .tied = true,
                                                     .has_pad_token = true},
                                        .sliding_window = 512,
                                        .shares = true,
                                        .proportional = true,
                                        .layer_inputs = true,
                                        .mixture = true};

const am_model_type am_model_gemma4_text = {
    .name = "gemma4_text", .base_prefix = "model", .architectures = architectures, .family = &family};

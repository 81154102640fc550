/* EmbeddingGemma 2, the text model: Gemma 4's layers looking both ways, projected to what texts are compared by.
   transformers: models/embedding_gemma2/modeling_embedding_gemma2.py */
#include "models/blocks/gemma4.h"

static const am_architecture architectures[] = {
    {"EmbeddingGemma2TextModel", am_gemma4_text_model, "feature-extraction", 0},
    {0},
};

static const am_gemma4_family family = {.defaults = {.vocab_size = 262144,
                                                     .hidden_size = 512,
                                                     .intermediate_size = 2048,
                                                     .num_hidden_layers = 24,
                                                     .num_attention_heads = 4,
                                                     .num_key_value_heads = 2,
                                                     .head_dim = 256,
                                                     .max_position_embeddings = 262144,
                                                     .has_pad_token = true},
                                        .sliding_window = 512,
                                        .global_kv_heads = 1,
                                        .embeds = true,
                                        .layer_inputs = true};

const am_model_type am_model_embedding_gemma2_text = {
    .name = "embedding_gemma2_text", .base_prefix = "model", .architectures = architectures, .family = &family};

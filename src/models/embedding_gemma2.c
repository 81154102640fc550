/* EmbeddingGemma 2: numbers by which texts with pictures, videos and sounds are compared. transformers:
   models/embedding_gemma2/modeling_embedding_gemma2.py */
#include "models/blocks/gemma4_multimodal.h"

static const am_gemma4_multimodal family = {
    .text_type = "embedding_gemma2_text", .pictures = am_gemma4_pictures, .sounds = am_gemma4_sounds, .embeds = true};

static const am_architecture architectures[] = {
    {"EmbeddingGemma2Model", am_gemma4_model, NULL, 0},
    {0},
};

const am_model_type am_model_embedding_gemma2 = {.name = "embedding_gemma2",
                                                 .base_prefix = "model",
                                                 .architectures = architectures,
                                                 .family = &family,
                                                 .shaping_inputs = am_gemma4_shaping_inputs};

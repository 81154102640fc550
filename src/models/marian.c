/* Marian: BART with sinusoidal positions and no norm of the embeddings; the decoder may have a vocabulary of its own.
   transformers: models/marian/modeling_marian.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"MarianModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"MarianMTModel", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"MarianForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"MarianDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 58101,
                                      .pad_token_id = 58100,
                                      .start_token_id = 58100,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_SINUSOIDS};

const am_model_type am_model_marian = {
    .name = "marian", .base_prefix = "model", .architectures = architectures, .family = &family};

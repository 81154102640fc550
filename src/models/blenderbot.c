/* Blenderbot: BART with norms before the parts of a layer and one behind the last layer, positions counted from row 0
   and no norm of the embeddings. transformers: models/blenderbot/modeling_blenderbot.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"BlenderbotModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"BlenderbotForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"BlenderbotForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"BlenderbotDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 8008,
                                      .d_model = 2560,
                                      .layers = 2,
                                      .decoder_layers = 24,
                                      .heads = 32,
                                      .ffn_dim = 10240,
                                      .max_positions = 128,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_ROWS};

const am_model_type am_model_blenderbot = {
    .name = "blenderbot", .base_prefix = "model", .architectures = architectures, .family = &family};

/* Blenderbot Small: BART with positions counted from row 0; the decoder norms its words before it adds these.
   transformers: models/blenderbot_small/modeling_blenderbot_small.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"BlenderbotSmallModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"BlenderbotSmallForConditionalGeneration", am_bart_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {"BlenderbotSmallForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"BlenderbotSmallDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 50265,
                                      .d_model = 512,
                                      .layers = 8,
                                      .heads = 16,
                                      .ffn_dim = 2048,
                                      .max_positions = 512,
                                      .decoder_norms_words = true,
                                      .positions = AM_BART_ROWS};

const am_model_type am_model_blenderbot_small = {
    .name = "blenderbot-small", .base_prefix = "model", .architectures = architectures, .family = &family};

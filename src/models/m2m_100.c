/* M2M-100: BART with norms before the parts of a layer and one behind the last layer, and sinusoidal positions that
   pads do not take part in. transformers: models/m2m_100/modeling_m2m_100.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"M2M100Model", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"M2M100ForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_bart_family family = {.vocab_size = 128112,
                                      .pad_token_id = 1,
                                      .activation = AM_RELU,
                                      .scale_embedding = true,
                                      .start_token_id = 2,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_AFTER_PADS};

const am_model_type am_model_m2m_100 = {
    .name = "m2m_100", .base_prefix = "model", .architectures = architectures, .family = &family};

/* Pegasus: BART with norms before the parts of a layer and one behind the last layer, sinusoidal positions and no norm
   of the embeddings. transformers: models/pegasus/modeling_pegasus.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"PegasusModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"PegasusForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"PegasusForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"PegasusDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.pre_norm = true, .no_embedding_norm = true, .positions = AM_BART_SINUSOIDS};

const am_model_type am_model_pegasus = {
    .name = "pegasus", .base_prefix = "model", .architectures = architectures, .family = &family};

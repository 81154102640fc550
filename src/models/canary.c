/* Canary: Parakeet's encoder and a decoder with sinusoidal positions: see blocks/speech_decoder.h.
   transformers: models/canary/modeling_canary.py */
#include "models/blocks/speech_decoder.h"

static const am_speech_decoder_family family = {
    .config = "decoder_config", .layers = 8, .head_dim = 128, .tied = true, .needs_encoder_config = true};

static const am_architecture architectures[] = {
    {"CanaryModel", am_speech_decoder_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"CanaryForConditionalGeneration", am_speech_decoder_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_canary = {
    .name = "canary", .base_prefix = "model", .architectures = architectures, .family = &family};

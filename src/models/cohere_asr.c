/* Cohere's speech recognition: Parakeet's encoder and a decoder with learned positions: see blocks/speech_decoder.h.
   transformers: models/cohere_asr/modeling_cohere_asr.py */
#include "models/blocks/speech_decoder.h"

static const char *const encoder_fields[] = {"hidden_size",  "num_hidden_layers", "intermediate_size",
                                             "num_mel_bins", "scale_input",       NULL};

static const am_speech_decoder_family family = {
    .layers = 8, .learns_positions = true, .projects = true, .encoder_fields = encoder_fields};

static const am_architecture architectures[] = {
    {"CohereAsrModel", am_speech_decoder_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"CohereAsrForConditionalGeneration", am_speech_decoder_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_cohere_asr = {
    .name = "cohere_asr", .base_prefix = "model", .architectures = architectures, .family = &family};

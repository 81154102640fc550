/* Audio Flamingo 3: Whisper's encoder, whose frames are halved once more, through two linear layers among the words of
   a text model. transformers: models/audioflamingo3/modeling_audioflamingo3.py */
#include "models/blocks/audio_flamingo.h"

static const am_audio_language_family family = {.features = am_audio_flamingo_rows,
                                                .audio_token = 151669,
                                                .text_type = "qwen2",
                                                .model_shows = true,
                                                .head_shows = true};

static const am_architecture architectures[] = {
    {"AudioFlamingo3Model", am_audio_language_model, NULL, 0},
    {"AudioFlamingo3ForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"AudioFlamingo3Encoder", am_audio_flamingo_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_audioflamingo3 = {.name = "audioflamingo3 audioflamingo3_encoder",
                                               .base_prefix = "model",
                                               .architectures = architectures,
                                               .family = &family,
                                               .shaping_inputs = am_audio_flamingo_shaping_inputs};

/* Granite Speech: see blocks/granite_speech.h. transformers: models/granite_speech/modeling_granite_speech.py */
#include "models/blocks/granite_speech.h"

static void encoder(am_builder *b)
{
    am_granite_speech_encoder(b, false);
}

static am_audio_rows features(am_builder *b)
{
    return am_granite_speech_features(b, false);
}

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 49155,
                                                .text_type = "granite",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .embeds_no_token = true};

static const am_architecture architectures[] = {
    {"GraniteSpeechModel", am_audio_language_model, NULL, 0},
    {"GraniteSpeechForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"GraniteSpeechCTCEncoder", encoder, NULL, 0},
    {0},
};

const am_model_type am_model_granite_speech = {.name = "granite_speech granite_speech_encoder",
                                               .base_prefix = "model",
                                               .architectures = architectures,
                                               .family = &family,
                                               .shaping_inputs = am_granite_speech_shaping_inputs};

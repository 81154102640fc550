/* Granite Speech Plus: Granite Speech whose queries read the states of several layers.
   transformers: models/granite_speech_plus/modeling_granite_speech_plus.py */
#include "models/blocks/granite_speech.h"

static void encoder(am_builder *b)
{
    am_granite_speech_encoder(b, true);
}

static am_audio_rows features(am_builder *b)
{
    return am_granite_speech_features(b, true);
}

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 49155,
                                                .text_type = "granite",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .embeds_no_token = true};

static const am_architecture architectures[] = {
    {"GraniteSpeechPlusModel", am_audio_language_model, NULL, 0},
    {"GraniteSpeechPlusForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"GraniteSpeechPlusCTCEncoder", encoder, NULL, 0},
    {0},
};

const am_model_type am_model_granite_speech_plus = {.name = "granite_speech_plus granite_speech_plus_encoder",
                                                    .base_prefix = "model",
                                                    .architectures = architectures,
                                                    .family = &family,
                                                    .shaping_inputs = am_granite_speech_shaping_inputs};

/* UniSpeech: wav2vec 2.0 trained otherwise. transformers: models/unispeech/modeling_unispeech.py */
#include "models/blocks/wav2vec2.h"

static const am_architecture architectures[] = {
    {"UniSpeechModel", am_wav2vec2_model, "feature-extraction", 0},
    {"UniSpeechForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"UniSpeechForPreTraining", am_unispeech_for_pretraining, NULL, 0},
    {"UniSpeechForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "unispeech"};

const am_model_type am_model_unispeech = {
    .name = "unispeech", .base_prefix = "unispeech", .architectures = architectures, .family = &family};

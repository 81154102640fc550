/* UniSpeech-SAT: wav2vec 2.0 trained to tell speakers apart. transformers:
   models/unispeech_sat/modeling_unispeech_sat.py */
#include "models/blocks/wav2vec2.h"

static const am_architecture architectures[] = {
    {"UniSpeechSatModel", am_wav2vec2_model, "feature-extraction", 0},
    {"UniSpeechSatForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"UniSpeechSatForPreTraining", am_unispeech_sat_for_pretraining, NULL, 0},
    {"UniSpeechSatForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"UniSpeechSatForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"UniSpeechSatForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "unispeech_sat"};

const am_model_type am_model_unispeech_sat = {
    .name = "unispeech-sat", .base_prefix = "unispeech_sat", .architectures = architectures, .family = &family};

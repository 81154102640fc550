/* wav2vec 2.0: blocks/wav2vec2.h with nothing added. transformers: models/wav2vec2/modeling_wav2vec2.py */
#include "models/blocks/wav2vec2.h"

static const am_architecture architectures[] = {
    {"Wav2Vec2Model", am_wav2vec2_model, "feature-extraction", 0},
    {"Wav2Vec2ForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"Wav2Vec2ForPreTraining", am_wav2vec2_for_pretraining, NULL, 0},
    {"Wav2Vec2ForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"Wav2Vec2ForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"Wav2Vec2ForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

const am_model_type am_model_wav2vec2 = {.name = "wav2vec2", .base_prefix = "wav2vec2", .architectures = architectures};

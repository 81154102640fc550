/* HuBERT: wav2vec 2.0 that may leave out the norm of frames, and may norm what positions are made of. transformers:
   models/hubert/modeling_hubert.py */
#include "models/blocks/wav2vec2.h"

static const am_architecture architectures[] = {
    {"HubertModel", am_wav2vec2_model, "feature-extraction", 0},
    {"HubertForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"HubertForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "hubert", .hides_features = true};

const am_model_type am_model_hubert = {
    .name = "hubert", .base_prefix = "hubert", .architectures = architectures, .family = &family};

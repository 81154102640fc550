/* An encoder of sounds and a text decoder: see blocks/encoder_decoder.h.
   transformers: models/speech_encoder_decoder/modeling_speech_encoder_decoder.py */
#include "models/blocks/encoder_decoder.h"
#include "models/blocks/wav2vec2.h"

static const am_architecture architectures[] = {
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"SpeechEncoderDecoderModel", am_encoder_decoder_model, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_encoder_decoder_family family = {
    .encoder_type = "wav2vec2", .gives_projected = true, .mask = am_wav2vec2_output_mask};

const am_model_type am_model_speech_encoder_decoder = {
    .name = "speech-encoder-decoder", .architectures = architectures, .family = &family};

/* A text encoder and a decoder: see blocks/encoder_decoder.h.
   transformers: models/encoder_decoder/modeling_encoder_decoder.py */
#include "models/blocks/encoder_decoder.h"

static am_value mask(am_builder *b, const am_config *encoder, int64_t S)
{
    (void)encoder;
    (void)S;
    return am_input_optional(b, "attention_mask", 2);
}

static const am_architecture architectures[] = {
    {"EncoderDecoderModel", am_encoder_decoder_model, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_encoder_decoder_family family = {.encoder_type = "bert", .mask = mask};

const am_model_type am_model_encoder_decoder = {
    .name = "encoder-decoder", .architectures = architectures, .family = &family};

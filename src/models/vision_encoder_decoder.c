/* An image encoder and a text decoder: see blocks/encoder_decoder.h.
   transformers: models/vision_encoder_decoder/modeling_vision_encoder_decoder.py */
#include "models/blocks/encoder_decoder.h"

static am_value mask(am_builder *b, const am_config *encoder, int64_t S)
{
    (void)b;
    (void)encoder;
    (void)S;
    return AM_NONE;
}

static const am_architecture architectures[] = {
    {"VisionEncoderDecoderModel", am_encoder_decoder_model, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_encoder_decoder_family family = {.encoder_type = "vit", .mask = mask};

const am_model_type am_model_vision_encoder_decoder = {
    .name = "vision-encoder-decoder", .architectures = architectures, .family = &family};

/* Gemma 3n's audio tower: see blocks/gemma_audio.h. transformers: models/gemma3n/modeling_gemma3n.py */
#include "models/blocks/gemma_audio.h"

/* The mask of this class is true for padding. */
static void audio_encoder(am_builder *b)
{
    am_value mask = am_input(b, "audio_mel_mask", 2), x = am_input(b, "audio_mel", 3);
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    am_gemma4_sound input = {.frames = x, .mask = am_unary(b, AM_LOGICAL_NOT, mask)};
    am_gemma4_sound sound = am_gemma3n_audio(b, am_model_config(b), &input);
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", sound.frames);
    am_output(b, "audio_mel_mask", am_unary(b, AM_LOGICAL_NOT, sound.mask));
}

static const am_architecture architectures[] = {
    {"Gemma3nAudioEncoder", audio_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_gemma3n_audio = {
    .name = "gemma3n_audio", .base_prefix = "model.audio_tower", .architectures = architectures};

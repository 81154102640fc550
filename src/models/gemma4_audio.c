/* Gemma 4's audio tower: see blocks/gemma4_towers.h. transformers: models/gemma4/modeling_gemma4.py */
#include "models/blocks/gemma4_towers.h"
#include "models/blocks/gemma_audio.h"

static void audio_model(am_builder *b)
{
    am_gemma4_sound sound = am_gemma4_audio(b, am_model_config(b), "attention_mask", true);
    am_output(b, "last_hidden_state", sound.frames);
    if (sound.mask.id) am_output(b, "attention_mask", sound.mask);
}

static const am_architecture architectures[] = {
    {"Gemma4AudioModel", audio_model, NULL, 0},
    {0},
};

const am_model_type am_model_gemma4_audio = {
    .name = "gemma4_audio", .base_prefix = "model.audio_tower", .architectures = architectures};

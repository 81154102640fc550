/* VibeVoice (arXiv 2508.19205): a text model that reads latents of sounds among words. What it writes becomes latents
   by a diffusion head, which no class here runs. transformers: models/vibevoice/modeling_vibevoice.py */
#include "models/blocks/layers.h"
#include "models/blocks/vibevoice.h"

static am_value number(am_builder *b, const char *name)
{
    return am_cast(b, am_weight(b, name, (am_shape){0}), AM_F32);
}

static am_audio_rows features(am_builder *b)
{
    int64_t hop = am_vibevoice_hop(b, "audio_config");
    am_value x = am_vibevoice_latents(b, "audio_tower.encoder", "audio_config");
    x = am_mul(b, am_add(b, x, number(b, "latent_bias_factor")), number(b, "latent_scaling_factor"));
    am_value shown = am_vibevoice_counted(b, x, hop);
    am_scope(b, "multi_modal_projector");
    x = am_vibevoice_projected(b, "linear_1", "act", "linear_2", x);
    am_end_scope(b);
    return (am_audio_rows){.rows = am_vibevoice_counted(b, x, hop), .shown = shown};
}

static const am_audio_language_family family = {.features = features,
                                                .input = "input_values",
                                                .shown = "audio_features",
                                                .audio_token = 151654,
                                                .text_type = "qwen2",
                                                .text_ties = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .head_shows_states = true};

static const am_architecture architectures[] = {
    {"VibeVoiceModel", am_audio_language_model, NULL, 0},
    {"VibeVoiceForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_vibevoice = {.name = "vibevoice",
                                          .base_prefix = "model",
                                          .architectures = architectures,
                                          .family = &family,
                                          .shaping_inputs = am_vibevoice_shaping_inputs};

/* VibeVoice's recognition of speech: latents of a wave by two encoders, of how it sounds and of what it says, projected
   and added, are tokens among the words of a text model. transformers: models/vibevoice_asr/modeling_vibevoice_asr.py
 */
#include "models/blocks/layers.h"
#include "models/blocks/vibevoice.h"

#include <inttypes.h>

static const char acoustic[] = "acoustic_tokenizer_encoder_config", semantic[] = "semantic_tokenizer_encoder_config";

/* Sounds are read in chunks, each going on from what the one before left, which is as reading all of them at once. */
static void check_chunks(am_builder *b, int64_t hop)
{
    const am_config *c = am_model_config(b);
    am_config meaning = am_config_child(c, semantic);
    int64_t chunk = am_config_size(c, "acoustic_tokenizer_chunk_size", 1440000);
    if (chunk % hop)
        am_config_fail(c, "acoustic_tokenizer_chunk_size", "%" PRId64 " is no multiple of the %" PRId64 " of a latent",
                       chunk, hop);
    if (!am_config_has(&meaning, "hidden_size")) am_config_fail(&meaning, "hidden_size", "expected a size");
    if (am_vibevoice_hop(b, semantic) != hop)
        am_config_fail(&meaning, "downsampling_ratios", "another product than those of %s", acoustic);
}

static am_audio_rows features(am_builder *b)
{
    int64_t hop = am_vibevoice_hop(b, acoustic);
    check_chunks(b, hop);
    am_value sound = am_vibevoice_latents(b, "acoustic_tokenizer_encoder", acoustic);
    am_value meaning = am_vibevoice_latents(b, "semantic_tokenizer_encoder", semantic);
    am_scope(b, "multi_modal_projector");
    sound = am_vibevoice_projected(b, "acoustic_linear_1", "acoustic_norm", "acoustic_linear_2", sound);
    meaning = am_vibevoice_projected(b, "semantic_linear_1", "semantic_norm", "semantic_linear_2", meaning);
    am_end_scope(b);
    am_value x = am_add(b, sound, meaning);
    if (!am_has_input(b, "padding_mask")) return (am_audio_rows){.rows = am_flatten(b, x, 0, 1), .shown = x};
    return (am_audio_rows){.rows = am_vibevoice_counted(b, x, hop)};
}

static const am_audio_language_family family = {.features = features,
                                                .input = "input_values",
                                                .rows_may_be_left = true,
                                                .audio_token = 151648,
                                                .text_type = "qwen2",
                                                .model_shows = true,
                                                .head_shows = true};

static const am_architecture architectures[] = {
    {"VibeVoiceAsrModel", am_audio_language_model, NULL, 0},
    {"VibeVoiceAsrForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {0},
};

const am_model_type am_model_vibevoice_asr = {.name = "vibevoice_asr",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = am_vibevoice_shaping_inputs};

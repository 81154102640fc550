/* Voxtral: Whisper's encoder, of which four frames side by side, through two linear layers, are a token among the words
   of a text model. transformers: models/voxtral/modeling_voxtral.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/whisper.h"

#include <inttypes.h>

/* Rows of intermediate_size numbers: frames one behind the other are cut into them, whatever their sounds. */
static am_audio_rows features(am_builder *b)
{
    am_part_input inputs[] = {{.name = "attention_mask"}};
    am_config audio = am_config_child(am_model_config(b), "audio_config");
    am_part_outputs tower = am_audio_tower(b, "audio_tower", "audio_config", "voxtral_encoder", inputs, 1);
    am_value x = am_part_output(&tower, "last_hidden_state");
    int64_t width = am_config_size(&audio, am_config_either(&audio, "encoder_ffn_dim", "intermediate_size"), 5120);
    am_shape shape = am_shape_of_value(b, x);
    if (!am_builder_failed(b) && am_shape_count(&shape) % width != 0)
        am_config_fail(&audio, "intermediate_size", "%" PRId64 " does not divide the %" PRId64 " numbers of all frames",
                       width, am_shape_count(&shape));
    x = am_reshape(b, x, am_shape_of(-1, width));
    return (am_audio_rows){.rows = am_audio_projector(b, x, am_audio_text_width(b), AM_NO_BIAS)};
}

static void voxtral_encoder(am_builder *b)
{
    am_whisper_encoder e = am_whisper_encoder_read(am_model_config(b));
    e.bias = am_input_optional(b, "attention_mask", 4);
    am_output(b, "last_hidden_state", am_whisper_encode(b, &e));
}

static const char *const text_fields[] = {
    "vocab_size", "hidden_size",         "intermediate_size",       "num_hidden_layers", "num_attention_heads",
    "head_dim",   "num_key_value_heads", "max_position_embeddings", "rms_norm_eps",      NULL};

static const am_audio_language_family family = {
    .features = features, .audio_token = -1, .text_type = "llama", .model_shows = true, .text_fields = text_fields};

static const am_architecture architectures[] = {
    {"VoxtralModel", am_audio_language_model, NULL, 0},
    {"VoxtralForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"VoxtralEncoder", voxtral_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_voxtral = {
    .name = "voxtral voxtral_encoder", .base_prefix = "model", .architectures = architectures, .family = &family};

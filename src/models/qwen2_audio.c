/* Qwen2-Audio: Whisper's encoder, whose frames are halved once more, through a linear layer among the words of a text
   model. Of texts with one token for each sound, which transformers still makes longer itself, those are meant whose
   sounds are that short. transformers: models/qwen2_audio/modeling_qwen2_audio.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/speech.h"
#include "models/blocks/whisper.h"

static const char marks[] = "feature_attention_mask";

/* Of the encoder's frames, T of each row, those of padding are hidden: BOOL [B, 1, 1, T]. */
static am_value mask(am_builder *b, int64_t T)
{
    am_value lengths = am_convolved_length(b, am_marked_lengths(b, marks), 1, 2);
    return am_padding_mask_of(b, am_frames_before(b, lengths, T));
}

static am_audio_rows features(am_builder *b)
{
    am_part_input inputs[] = {{.name = "attention_mask"}};
    int64_t L = am_dim(b, am_input(b, "input_features", 3), 2), *lengths = am_audio_lengths(b, marks);
    for (int64_t i = 0; lengths && i < am_dim(b, am_input(b, marks, 2), 0); i++)
        lengths[i] = am_whisper_pooled_length(lengths[i]);
    inputs[0].value = mask(b, L / 2);
    am_part_outputs tower = am_audio_tower(b, "audio_tower", "audio_config", "qwen2_audio_encoder", inputs, 1);
    am_value x = am_part_output(&tower, "last_hidden_state");
    x = am_linear(b, "multi_modal_projector.linear", x, am_audio_text_width(b), AM_BIAS);
    return (am_audio_rows){.rows = am_audio_frames(b, x, lengths)};
}

/* Attention_mask is what is added to scores, or of a model around it which frames are seen. */
static void qwen2_audio_encoder(am_builder *b)
{
    am_whisper_encoder e = am_whisper_encoder_read(am_model_config(b));
    am_value given = am_input_optional(b, "attention_mask", 4);
    if (am_dtype_of(b, given) == AM_BOOL) e.mask = given;
    else e.bias = given;
    e.pools = true;
    am_output(b, "last_hidden_state", am_whisper_encode(b, &e));
}

static const am_audio_language_family family = {
    .features = features, .audio_token = 151646, .text_type = "qwen2", .shows_mask = true};

static const am_architecture architectures[] = {
    {"Qwen2AudioModel", am_audio_language_model, NULL, 0},
    {"Qwen2AudioForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"Qwen2AudioEncoder", qwen2_audio_encoder, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_ROWS}, {0}};

const am_model_type am_model_qwen2_audio = {.name = "qwen2_audio qwen2_audio_encoder",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family,
                                            .shaping_inputs = shaping_inputs};

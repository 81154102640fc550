/* MOSS-Transcribe-Diarize: Whisper's encoder, of which some frames side by side, through two linear layers and a norm,
   are a token among the words of a text model, which writes who said what. transformers:
   models/moss_transcribe_diarize/modeling_moss_transcribe_diarize.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/layers.h"
#include "models/blocks/whisper.h"

#include <inttypes.h>

static const char marks[] = "input_features_mask";

static void audio_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_whisper_encoder e = {
        .bins = am_config_size(c, "num_mel_bins", 80),
        .width = am_config_size(c, am_config_either(c, "hidden_size", "d_model"), 1024),
        .layers = am_config_count(c, am_config_either(c, "num_hidden_layers", "encoder_layers"), 24),
        .heads = am_config_size(c, am_config_either(c, "num_attention_heads", "encoder_attention_heads"), 16),
        .ffn_dim = am_config_size(c, am_config_either(c, "intermediate_size", "encoder_ffn_dim"), 4096),
        .positions = am_config_size(c, "max_source_positions", 1500),
        .activation = am_config_activation(c, "activation_function", AM_GELU),
        .bias = am_input_optional(b, "attention_mask", 4)};
    am_config_check_divides(c, "num_attention_heads", e.heads, "hidden_size", e.width);
    am_output(b, "last_hidden_state", am_whisper_encode(b, &e));
}

/* norm(linear_2(activation(linear_1(x)))): x: [N, C] -> [N, width of the words] */
static am_value projected(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    double eps = am_config_real(&text, "rms_norm_eps", 1e-6);
    int64_t width = am_audio_text_width(b);
    int bias = am_config_flag(c, "projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_scope(b, "multi_modal_projector");
    x = am_linear_activation(b, "linear_1", x, width, bias, am_config_activation(c, "projector_hidden_act", AM_SILU));
    x = am_layer_norm(b, "norm", am_linear(b, "linear_2", x, width, bias), eps);
    am_end_scope(b);
    return x;
}

/* Each sound's frames in whole groups, one sound behind the other. */
static am_audio_rows features(am_builder *b)
{
    am_part_input inputs[] = {{.name = "attention_mask"}};
    int64_t merge = am_config_size(am_model_config(b), "audio_merge_size", 4), *lengths = am_audio_lengths(b, marks);
    for (int64_t i = 0; lengths && i < am_dim(b, am_input(b, marks, 2), 0); i++)
        lengths[i] = ((lengths[i] + 1) / 2 + merge - 1) / merge * merge;
    am_input_optional(b, "padding_mask", 2); /* says again how long sounds are */
    am_part_outputs tower =
        am_audio_tower(b, "audio_tower", "audio_config", "moss_transcribe_diarize_audio", inputs, 1);
    am_value x = am_audio_frames(b, am_part_output(&tower, "last_hidden_state"), lengths);
    int64_t N = am_dim(b, x, 0), C = am_dim(b, x, 1);
    if (!am_builder_failed(b) && N % merge)
        am_config_fail(am_model_config(b), "audio_merge_size", "%" PRId64 " does not divide the %" PRId64 " frames",
                       merge, N);
    x = am_reshape(b, x, am_shape_of(N / merge, merge * C));
    return (am_audio_rows){.rows = projected(b, x)};
}

static const char *const text_fields[] = {
    "hidden_size",         "intermediate_size",       "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "max_position_embeddings", "rope_parameters",   NULL};

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 151671,
                                                .text_type = "qwen3",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .text_fields = text_fields};

static const am_architecture architectures[] = {
    {"MossTranscribeDiarizeModel", am_audio_language_model, NULL, 0},
    {"MossTranscribeDiarizeForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"MossTranscribeDiarizeAudioModel", audio_model, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_ROWS}, {0}};

const am_model_type am_model_moss_transcribe_diarize = {.name = "moss_transcribe_diarize moss_transcribe_diarize_audio",
                                                        .base_prefix = "model",
                                                        .architectures = architectures,
                                                        .family = &family,
                                                        .shaping_inputs = shaping_inputs};

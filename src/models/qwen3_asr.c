/* Qwen3-ASR: three convolutions over stretches of a log-mel spectrogram leave an eighth of their frames, to which
   pre-norm layers attend within windows; two linear layers put them among the words of a text model.
   transformers: models/qwen3_asr/modeling_qwen3_asr.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/heads.h"
#include "models/blocks/qwen_audio.h"

#include <inttypes.h>

static const char marks[] = "input_features_mask";

/* Stretches of the input input_features: [B, bins, L] -> [B * L / stretch, 1, bins, stretch]. */
static am_value stretches(am_builder *b, const am_qwen_audio *t)
{
    am_value x = am_input(b, "input_features", 3);
    int64_t B = am_dim(b, x, 0), L = am_dim(b, x, 2), S = L / t->stretch;
    if (x.id && (L % t->stretch != 0 || L == 0 || am_dim(b, x, 1) != t->bins))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " frames of %" PRId64
                                    " bins, expected a multiple of %" PRId64 " (2 * n_window) of %" PRId64,
                                    L, am_dim(b, x, 1), t->stretch, t->bins));
    if (am_builder_failed(b)) return AM_NONE;
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, t->bins, S, t->stretch)), am_shape_of(0, 2, 1, 3));
    return am_reshape(b, x, am_shape_of(B * S, 1, t->bins, t->stretch));
}

static void qwen3_asr_encoder(am_builder *b)
{
    static const am_qwen_audio_defaults defaults = {
        .width = 1024, .layers = 24, .heads = 16, .ffn_dim = 4096, .positions = 13};
    am_qwen_audio t = am_qwen3_audio_read(am_model_config(b), "max_position_embeddings", &defaults);
    am_value x = stretches(b, &t);
    int64_t *lengths = am_audio_lengths(b, marks), B = am_dim(b, am_input(b, marks, 2), 0);
    if (am_builder_failed(b)) return;
    x = am_qwen3_audio_tower(b, x, lengths, B, &t, true);
    am_output(b, "last_hidden_state", am_squeeze(b, x, 0));
}

/* --- classes --- */

static am_audio_rows features(am_builder *b)
{
    am_config audio = am_config_child(am_model_config(b), "audio_config");
    am_unary_fn activation = am_config_activation(&audio, "activation_function", AM_GELU);
    am_part_outputs outputs = am_audio_tower(b, "audio_tower", "audio_config", "qwen3_asr_encoder", NULL, 0);
    am_value x = am_part_output(&outputs, "last_hidden_state");
    am_scope(b, "multi_modal_projector");
    x = am_linear_activation(b, "linear_1", x, am_dim(b, x, -1), AM_BIAS, activation);
    x = am_linear(b, "linear_2", x, am_config_size(&audio, "output_dim", 3584), AM_BIAS);
    am_end_scope(b);
    return (am_audio_rows){.rows = x};
}

static void for_token_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int bias = am_config_flag(c, "token_classification_bias", false) ? AM_BIAS : AM_NO_BIAS;
    am_value x = am_audio_language_body(b, false);
    am_output(b, "logits", am_linear(b, "score", x, am_config_labels(c), bias));
}

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 151676,
                                                .text_type = "qwen3",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .needs_text_config = true};

static const am_architecture architectures[] = {
    {"Qwen3ASRModel", am_audio_language_model, NULL, 0},
    {"Qwen3ASRForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"Qwen3ASRForTokenClassification", for_token_classification, NULL, 0},
    {"Qwen3ASREncoder", qwen3_asr_encoder, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_STARTS}, {0}};

const am_model_type am_model_qwen3_asr = {.name = "qwen3_asr qwen3_asr_encoder",
                                          .base_prefix = "model",
                                          .architectures = architectures,
                                          .family = &family,
                                          .shaping_inputs = shaping_inputs};

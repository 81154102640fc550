/* Qwen3-ASR: three convolutions over stretches of a log-mel spectrogram leave an eighth of their frames, to which
   pre-norm layers attend within windows; two linear layers put them among the words of a text model.
   transformers: models/qwen3_asr/modeling_qwen3_asr.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/attention.h"
#include "models/blocks/grids.h"
#include "models/blocks/heads.h"
#include "models/blocks/sinusoids.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */
static const char marks[] = "input_features_mask";
enum { STRETCH_TOKENS = 13 }; /* of a whole stretch, as windows are counted whatever n_window is */

typedef struct tower {
    int64_t width, layers, heads, ffn_dim, bins, channels, positions;
    int64_t stretch, stretches; /* frames of one; of a window */
    am_unary_fn activation;
} tower;

static tower read_tower(const am_config *c)
{
    tower r = {.width = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 1024),
               .layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 24),
               .heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 16),
               .ffn_dim = am_config_size(c, am_config_either(c, "encoder_ffn_dim", "intermediate_size"), 4096),
               .bins = am_config_size(c, "num_mel_bins", 128),
               .channels = am_config_size(c, "downsample_hidden_size", 480),
               .positions = am_config_size(c, "max_position_embeddings", 13),
               .stretch = 2 * am_config_size(c, "n_window", 50),
               .activation = am_config_activation(c, "activation_function", AM_GELU)};
    r.stretches = am_config_size(c, "n_window_infer", 800) / r.stretch;
    am_config_check_divides(c, "encoder_attention_heads", r.heads, "d_model", r.width);
    if (r.stretches < 1) am_config_fail(c, "n_window_infer", "expected %" PRId64 " or more", r.stretch);
    if (r.width % 2 || r.width < 4) am_config_fail(c, "d_model", "expected an even number, 4 or more");
    return r;
}

/* --- lengths --- */

static int64_t convolved(int64_t frames)
{
    for (int i = 0; i < 3; i++) frames = (frames + 1) / 2;
    return frames;
}

/* Tokens of a sound of that many frames, as windows count them. */
static int64_t counted(int64_t frames, const tower *t)
{
    return convolved(frames % t->stretch) + frames / t->stretch * STRETCH_TOKENS;
}

/* What follows from the lengths of the sounds: tokens of each stretch, and of each window. */
typedef struct cuts {
    int64_t *tokens;  /* [B * stretches of a row] */
    int64_t *windows; /* [window_count] */
    int64_t window_count;
} cuts;

static void cut_windows(const int64_t *lengths, int64_t B, int64_t longest, const tower *t, cuts *out)
{
    for (int64_t i = 0; i < B; i++)
        for (int64_t left = counted(lengths[i], t); left > 0; left -= longest)
            out->windows[out->window_count++] = left < longest ? left : longest;
}

/* Rows of S stretches each. */
static cuts cut(am_builder *b, const int64_t *lengths, int64_t B, int64_t S, const tower *t)
{
    cuts r = {0};
    int64_t longest = 0, total = 0, windowed = 0;
    if (am_builder_failed(b) || t->stretches < 1) return r;
    for (int64_t i = 0; i < B; i++) windowed += counted(lengths[i], t);
    r.tokens = am_arena_array(am_builder_arena(b), (size_t)(B * S), sizeof *r.tokens);
    r.windows = am_arena_array(am_builder_arena(b), (size_t)(windowed + 1), sizeof *r.windows);
    if (!r.tokens || !r.windows) {
        am_builder_fail(b, am_out_of_memory());
        return r;
    }
    for (int64_t i = 0; i < B * S; i++) {
        int64_t frames = lengths[i / S] - i % S * t->stretch;
        frames = frames < 0 ? 0 : frames > t->stretch ? t->stretch : frames;
        r.tokens[i] = convolved(frames);
        total += r.tokens[i];
        if (counted(frames, t) > longest) longest = counted(frames, t);
    }
    if (total != windowed || total == 0) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "sounds of %" PRId64 " tokens, which windows of stretches of %d count as %" PRId64,
                                    total, STRETCH_TOKENS, windowed));
        return r;
    }
    cut_windows(lengths, B, longest * t->stretches, t, &r);
    return r;
}

/* --- the tower --- */

/* Stretches x: [N, 1, bins, stretch] -> [N, T, C]. */
static am_value convolutions(am_builder *b, am_value x, const tower *t)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    const char *const names[] = {"conv2d1", "conv2d2", "conv2d3"};
    for (int i = 0; i < 3; i++)
        x = am_unary(b, AM_GELU, am_conv(b, names[i], x, t->channels, am_shape_of(3, 3), AM_BIAS, &options));
    x = am_flatten(b, am_permute(b, x, am_shape_of(0, 3, 1, 2)), 2, 3);
    return am_linear(b, "conv_out", x, t->width, AM_NO_BIAS);
}

/* x: [1, N, C] */
static am_value layer(am_builder *b, am_value x, const am_segments *windows, const tower *t)
{
    am_attention_options options = {.heads = t->heads};
    am_value qkv[3], h = am_layer_norm(b, "self_attn_layer_norm", x, NORM_EPS);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &options, qkv);
    h = am_linear(b, "out_proj", am_segments_attend(b, windows, qkv, t->heads), t->width, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_layer_norm(b, "final_layer_norm", x, NORM_EPS);
    h = am_linear_activation(b, "fc1", h, t->ffn_dim, AM_BIAS, t->activation);
    return am_add(b, x, am_linear(b, "fc2", h, t->width, AM_BIAS));
}

/* Stretches of the input input_features: [B, bins, L] with positions: [B * L / stretch, T, C]. */
static am_value stretches(am_builder *b, const tower *t)
{
    am_value x = am_input(b, "input_features", 3);
    int64_t B = am_dim(b, x, 0), L = am_dim(b, x, 2), S = L / t->stretch, T = convolved(t->stretch);
    if (x.id && (L % t->stretch != 0 || L == 0 || am_dim(b, x, 1) != t->bins))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " frames of %" PRId64
                                    " bins, expected a multiple of %" PRId64 " (2 * n_window) of %" PRId64,
                                    L, am_dim(b, x, 1), t->stretch, t->bins));
    if (x.id && T > t->positions)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "a stretch has %" PRId64 " tokens, more than max_position_embeddings, %" PRId64, T,
                                    t->positions));
    if (am_builder_failed(b)) return AM_NONE;
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, t->bins, S, t->stretch)), am_shape_of(0, 2, 1, 3));
    x = convolutions(b, am_reshape(b, x, am_shape_of(B * S, 1, t->bins, t->stretch)), t);
    return am_add(b, x, am_sinusoid_table(b, T, t->width, (double)(t->width / 2 - 1), -1));
}

static void qwen3_asr_encoder(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    am_value x = stretches(b, &t);
    int64_t *lengths = am_audio_lengths(b, marks), B = am_dim(b, am_input(b, marks, 2), 0);
    cuts r = cut(b, lengths, B, am_dim(b, x, 0) / B, &t);
    if (am_builder_failed(b) || r.window_count == 0) return;
    am_segments windows = am_segments_make(b, r.windows, r.window_count);
    x = am_unsqueeze(b, am_audio_frames(b, x, r.tokens), 0);
    for (int i = 0; i < t.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &windows, &t);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)t.layers, am_squeeze(b, x, 0));
    am_output(b, "last_hidden_state", am_squeeze(b, am_layer_norm(b, "ln_post", x, NORM_EPS), 0));
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

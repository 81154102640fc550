#include "models/blocks/qwen_audio.h"

#include "models/blocks/attention.h"
#include "models/blocks/audio_language.h"
#include "models/blocks/sinusoids.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */
enum { STRETCH_TOKENS = 13 };        /* of a whole stretch, as Qwen3's windows are counted whatever n_window is */

/* --- configuration --- */

static am_qwen_audio read_tower(const am_config *c, const am_qwen_audio_defaults *d, const char *positions)
{
    am_qwen_audio r = {
        .width = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), d->width),
        .layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), d->layers),
        .heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), d->heads),
        .ffn_dim = am_config_size(c, am_config_either(c, "encoder_ffn_dim", "intermediate_size"), d->ffn_dim),
        .bins = am_config_size(c, "num_mel_bins", 128),
        .out_width = am_config_size(c, "output_dim", 3584),
        .positions = am_config_size(c, positions, d->positions),
        .activation = am_config_activation(c, "activation_function", AM_GELU)};
    am_config_check_divides(c, "encoder_attention_heads", r.heads, "d_model", r.width);
    if (r.width % 2 || r.width < 4) am_config_fail(c, "d_model", "expected an even number, 4 or more");
    return r;
}

am_qwen_audio am_qwen3_audio_read(const am_config *c, const char *positions, const am_qwen_audio_defaults *defaults)
{
    am_qwen_audio r = read_tower(c, defaults, positions);
    r.channels = am_config_size(c, "downsample_hidden_size", 480);
    r.stretch = 2 * am_config_size(c, "n_window", 50);
    r.stretches = am_config_size(c, "n_window_infer", 800) / r.stretch;
    if (r.stretches < 1) am_config_fail(c, "n_window_infer", "expected %" PRId64 " or more", r.stretch);
    return r;
}

static const am_qwen_audio_defaults omni_defaults = {
    .width = 1280, .layers = 32, .heads = 20, .ffn_dim = 5120, .positions = 1500};

am_qwen_audio am_qwen2_5_audio_read(const am_config *c)
{
    am_qwen_audio r = read_tower(c, &omni_defaults, "max_source_positions");
    r.stretch = 2 * am_config_size(c, "n_window", 100);
    r.no_k_bias = true;
    return r;
}

/* --- stretches --- */

static int64_t most(const int64_t *numbers, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 0; i < count; i++) best = numbers[i] > best ? numbers[i] : best;
    return best;
}

/* F32 [rows, 1, F]: 1 for the first lengths[i] places; AM_NONE where these are all. */
static am_value marks(am_builder *b, const int64_t *lengths, int64_t rows, int64_t F)
{
    bool all = true;
    for (int64_t i = 0; i < rows; i++) all = all && lengths[i] == F;
    if (all) return AM_NONE;
    float *data = am_arena_array(am_builder_arena(b), (size_t)(rows * F), sizeof *data);
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < rows * F; i++) data[i] = i % F < lengths[i / F] ? 1 : 0;
    return am_constant_copy(b, AM_F32, am_shape_of(rows, 1, F), data);
}

am_stretches am_stretches_make(am_builder *b, am_value x, const int64_t *lengths, int64_t stretch)
{
    am_stretches r = {.B = am_dim(b, x, 0)};
    int64_t bins = am_dim(b, x, 1), L = am_dim(b, x, 2);
    if (am_builder_failed(b) || !lengths) return r;
    int64_t longest = most(lengths, r.B), F = longest < stretch ? longest : stretch;
    if (longest < 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features: the sounds have no frames"));
        return r;
    }
    r.S = (longest + stretch - 1) / stretch;
    r.lengths = am_arena_array(am_builder_arena(b), (size_t)(r.B * r.S), sizeof *r.lengths);
    if (!r.lengths) {
        am_builder_fail(b, am_out_of_memory());
        return r;
    }
    for (int64_t i = 0; i < r.B * r.S; i++) {
        int64_t left = lengths[i / r.S] - i % r.S * stretch;
        r.lengths[i] = left < 0 ? 0 : left > F ? F : left;
    }
    x = am_slice(b, x, 2, 0, longest);
    if (r.S * F > longest) x = am_pad_zero(b, x, 2, 0, r.S * F - longest);
    if (longest > L)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "feature_attention_mask: more marks than frames"));
    x = am_permute(b, am_reshape(b, x, am_shape_of(r.B, bins, r.S, F)), am_shape_of(0, 2, 1, 3));
    r.frames = am_reshape(b, x, am_shape_of(r.B * r.S, bins, F));
    r.mask = marks(b, r.lengths, r.B * r.S, F);
    if (r.mask.id) r.frames = am_mul(b, r.frames, r.mask);
    return r;
}

/* --- layers --- */

/* x: [1, N, C] */
static am_value layer(am_builder *b, am_value x, const am_segments *windows, const am_qwen_audio *t)
{
    am_attention_options options = {.heads = t->heads, .no_k_bias = t->no_k_bias};
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

/* x: [1, N, C] after the layers. */
static am_value layers(am_builder *b, am_value x, const am_segments *windows, const am_qwen_audio *t,
                       bool hidden_states)
{
    for (int i = 0; i < t->layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "layers.%d", i);
        x = layer(b, x, windows, t);
        am_end_scope(b);
    }
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->layers, am_squeeze(b, x, 0));
    return x;
}

/* x: [.., T, C] with positions. */
static am_value placed(am_builder *b, am_value x, const char *field, const am_qwen_audio *t)
{
    int64_t T = am_dim(b, x, -2);
    if (!am_builder_failed(b) && T > t->positions)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "a stretch has %" PRId64 " tokens, more than %s, %" PRId64, T,
                                    field, t->positions));
    if (am_builder_failed(b)) return AM_NONE;
    return am_add(b, x, am_sinusoid_table(b, T, t->width, (double)(t->width / 2 - 1), -1));
}

/* --- Qwen3 --- */

static int64_t convolved(int64_t frames)
{
    for (int i = 0; i < 3; i++) frames = (frames + 1) / 2;
    return frames;
}

/* Tokens of a sound of that many frames, as windows count them. */
static int64_t counted(int64_t frames, const am_qwen_audio *t)
{
    return convolved(frames % t->stretch) + frames / t->stretch * STRETCH_TOKENS;
}

/* What follows from the lengths of the sounds: tokens of each stretch, and of each window. */
typedef struct cuts {
    int64_t *tokens;  /* [B * stretches of a row] */
    int64_t *windows; /* [window_count] */
    int64_t window_count;
} cuts;

static void cut_windows(const int64_t *lengths, int64_t B, int64_t longest, const am_qwen_audio *t, cuts *out)
{
    for (int64_t i = 0; i < B; i++)
        for (int64_t left = counted(lengths[i], t); left > 0; left -= longest)
            out->windows[out->window_count++] = left < longest ? left : longest;
}

/* Rows of S stretches each. */
static cuts cut(am_builder *b, const int64_t *lengths, int64_t B, int64_t S, const am_qwen_audio *t)
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

/* Stretches x: [N, 1, bins, F] -> [N, T, C]. */
static am_value convolutions(am_builder *b, am_value x, const am_qwen_audio *t)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    const char *const names[] = {"conv2d1", "conv2d2", "conv2d3"};
    for (int i = 0; i < 3; i++)
        x = am_unary(b, AM_GELU, am_conv(b, names[i], x, t->channels, am_shape_of(3, 3), AM_BIAS, &options));
    x = am_flatten(b, am_permute(b, x, am_shape_of(0, 3, 1, 2)), 2, 3);
    return am_linear(b, "conv_out", x, t->width, AM_NO_BIAS);
}

am_value am_qwen3_audio_tower(am_builder *b, am_value x, const int64_t *lengths, int64_t B, const am_qwen_audio *t,
                              bool hidden_states)
{
    x = placed(b, convolutions(b, x, t), "the positions of the configuration", t);
    if (am_builder_failed(b) || !lengths) return AM_NONE;
    cuts r = cut(b, lengths, B, am_dim(b, x, 0) / B, t);
    if (am_builder_failed(b) || r.window_count == 0) return AM_NONE;
    am_segments windows = am_segments_make(b, r.windows, r.window_count);
    x = am_unsqueeze(b, am_audio_frames(b, x, r.tokens), 0);
    return am_layer_norm(b, "ln_post", layers(b, x, &windows, t, hidden_states), NORM_EPS);
}

/* --- towers of the thinkers --- */

/* The input input_features in stretches; *lengths: of each sound. */
static am_stretches read_stretches(am_builder *b, const am_qwen_audio *t, int64_t **lengths)
{
    static const char *const mask = "feature_attention_mask";
    am_value x = am_input(b, "input_features", 3);
    if (!am_builder_failed(b) && am_dim(b, x, 1) != t->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " bins, expected %" PRId64 " (num_mel_bins)",
                                    am_dim(b, x, 1), t->bins));
    if (!am_has_input(b, mask))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing beside input_features", mask));
    *lengths = am_builder_failed(b) ? NULL : am_audio_lengths_of(b, mask, "input_features");
    return am_stretches_make(b, x, *lengths, t->stretch);
}

am_value am_qwen3_omni_audio_features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "audio_config");
    am_qwen_audio t = am_qwen3_audio_read(&c, "max_source_positions", &omni_defaults);
    int64_t *lengths;
    am_stretches s = read_stretches(b, &t, &lengths);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "audio_tower");
    am_value x = am_qwen3_audio_tower(b, am_unsqueeze(b, s.frames, 1), lengths, s.B, &t, false);
    x = am_linear_activation(b, "proj1", x, t.width, AM_BIAS, t.activation);
    x = am_linear(b, "proj2", x, t.out_width, AM_BIAS);
    am_end_scope(b);
    return am_squeeze(b, x, 0);
}

/* Means of two neighbours of each sound: x: [N, C] of B sounds with tokens[i] rows each. */
static am_value halved(am_builder *b, am_value x, const int64_t *tokens, int64_t B)
{
    int64_t N = am_dim(b, x, 0), count = 0, at = 0;
    if (am_builder_failed(b)) return AM_NONE;
    int32_t *places = am_arena_array(am_builder_arena(b), (size_t)N + 1, sizeof *places);
    if (!places) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < B; at += tokens[i++])
        for (int64_t k = 0; k + 1 < tokens[i]; k += 2) {
            places[count++] = (int32_t)(at + k);
            places[count++] = (int32_t)(at + k + 1);
        }
    if (count == 0) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "the sounds are too short for any frame"));
        return AM_NONE;
    }
    if (count < N) x = am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(count), places), 0, false);
    x = am_reshape(b, x, am_shape_of(count / 2, 2, am_dim(b, x, 1)));
    return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
}

/* Two convolutions, frames behind a stretch's end hidden between them: [N, bins, F] -> [N, T, C]. */
static am_value convolved_stretches(am_builder *b, const am_stretches *s, const am_qwen_audio *t)
{
    am_convolution_attributes options = {
        .stride = am_shape_of(1), .padding_before = am_shape_of(1), .padding_after = am_shape_of(1)};
    am_value x = am_unary(b, AM_GELU, am_conv(b, "conv1", s->frames, t->width, am_shape_of(3), AM_BIAS, &options));
    if (s->mask.id) x = am_mul(b, x, s->mask);
    options.stride = am_shape_of(2);
    x = am_unary(b, AM_GELU, am_conv(b, "conv2", x, t->width, am_shape_of(3), AM_BIAS, &options));
    return placed(b, am_permute(b, x, am_shape_of(0, 2, 1)), "max_source_positions", t);
}

am_value am_qwen2_5_omni_audio_features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "audio_config");
    am_qwen_audio t = am_qwen2_5_audio_read(&c);
    int64_t *lengths, windows = 0;
    am_stretches s = read_stretches(b, &t, &lengths);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "audio_tower");
    am_value x = convolved_stretches(b, &s, &t);
    for (int64_t i = 0; i < s.B * s.S; i++) s.lengths[i] = (s.lengths[i] + 1) / 2;
    x = am_unsqueeze(b, am_audio_frames(b, x, s.lengths), 0);
    for (int64_t i = 0; i < s.B; i++) lengths[i] = (lengths[i] + 1) / 2;
    for (int64_t i = 0; i < s.B * s.S; i++)
        if (s.lengths[i] > 0) s.lengths[windows++] = s.lengths[i];
    am_segments segments = am_segments_make(b, s.lengths, windows);
    x = halved(b, am_squeeze(b, layers(b, x, &segments, &t, false), 0), lengths, s.B);
    x = am_linear(b, "proj", am_layer_norm(b, "ln_post", x, NORM_EPS), t.out_width, AM_BIAS);
    am_end_scope(b);
    return x;
}

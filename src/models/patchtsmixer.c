/* PatchTSMixer (arXiv 2306.09364): layers that mix the patches of each channel of a series, then the features of each
   patch, and with mode mix_channel first the channels, each by an MLP and a gate. transformers:
   models/patchtsmixer/modeling_patchtsmixer.py */
#include "models/blocks/attention.h"
#include "models/blocks/patch_series.h"

#include <string.h>

typedef struct mixer {
    am_patch_series series;
    int64_t d_model, num_layers, expansion_factor, self_attn_heads;
    bool batch_norm, mixes_channels, gated_attn, self_attn;
    double norm_eps;
} mixer;

/* Whether norm_mlp has "batch" in it, in letters of any case. */
static bool read_batch_norm(const am_config *c)
{
    static const char word[] = "batch";
    size_t length = sizeof word - 1, same = 0;
    for (const char *s = am_config_text(c, "norm_mlp", "LayerNorm"); *s && same < length; s++) {
        char letter = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
        same = letter == word[same] ? same + 1 : letter == word[0];
    }
    return same == length;
}

static mixer read_config(am_builder *b)
{
    static const am_patch_series_defaults defaults = {
        .patch_size = 8, .targets = 3, .masks_alike = true, .yes = AM_SERIES_STD};
    const am_config *c = am_model_config(b);
    mixer m = {
        .series = am_patch_series_read(c, &defaults),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 8),
        .num_layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 3),
        .expansion_factor = am_config_size(c, "expansion_factor", 2),
        .self_attn_heads = am_config_size(c, "self_attn_heads", 1),
        .batch_norm = read_batch_norm(c),
        .mixes_channels = am_config_is(c, "mode", "mix_channel"),
        .gated_attn = am_config_flag(c, "gated_attn", true),
        .self_attn = am_config_flag(c, "self_attn", false),
        .norm_eps = am_config_real(c, "norm_eps", 1e-5),
    };
    if (am_config_size(c, "num_patches", m.series.patches) != m.series.patches)
        am_config_fail(c, "num_patches", "expected %lld, as the lengths say", (long long)m.series.patches);
    if (m.self_attn) am_config_check_divides(c, "self_attn_heads", m.self_attn_heads, "d_model", m.d_model);
    return m;
}

/* --- layers --- */

/* The norm NAME of x: [.., d_model]. */
static am_value norm(am_builder *b, const char *name, am_value x, const mixer *m)
{
    am_shape shape = am_shape_of_value(b, x);
    am_scope(b, "%s", name);
    if (m->batch_norm) {
        x = am_reshape(b, x, am_shape_of(-1, m->d_model));
        x = am_reshape(b, am_batch_norm(b, "norm.batchnorm", x, m->norm_eps), shape);
    } else x = am_layer_norm(b, "norm", x, m->norm_eps);
    am_end_scope(b);
    return x;
}

/* Over the last dimension of x: [.., K]. */
static am_value mlp(am_builder *b, am_value x, const mixer *m)
{
    int64_t K = am_dim(b, x, -1);
    am_scope(b, "mlp");
    x = am_linear_activation(b, "fc1", x, K * m->expansion_factor, AM_BIAS, AM_GELU);
    x = am_linear(b, "fc2", x, K, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* x times the softmax of a linear of it. */
static am_value gate(am_builder *b, am_value x, const mixer *m)
{
    if (!m->gated_attn) return x;
    am_value weights = am_linear(b, "gating_block.attn_layer", x, am_dim(b, x, -1), AM_BIAS);
    return am_mul(b, x, am_softmax(b, weights, am_rank(b, x) - 1));
}

/* Over the channels of x: [B, C, N, d_model]. */
static am_value mix_channels(am_builder *b, am_value x, const mixer *m)
{
    am_scope(b, "channel_feature_mixer");
    am_value h = am_transpose(b, norm(b, "norm", x, m), 1, 3);
    h = am_transpose(b, mlp(b, gate(b, h, m), m), 1, 3);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Attention of the patches of each channel, x: [B, C, N, d_model]. */
static am_value attention(am_builder *b, am_value x, const mixer *m)
{
    am_shape shape = am_shape_of_value(b, x);
    am_attention_options options = {.heads = m->self_attn_heads};
    am_scope(b, "self_attn_layer");
    x = am_reshape(b, am_self_attention(b, am_flatten(b, x, 0, 1), &options), shape);
    am_end_scope(b);
    return x;
}

/* Over the patches of x: [B, C, N, d_model]. */
static am_value mix_patches(am_builder *b, am_value x, const mixer *m)
{
    am_scope(b, "patch_mixer");
    am_value normed = norm(b, "norm", x, m), h = am_transpose(b, normed, 2, 3);
    h = am_transpose(b, gate(b, mlp(b, h, m), m), 2, 3);
    if (m->self_attn) h = norm(b, "norm_attn", am_add(b, h, attention(b, normed, m)), m);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Over the features of x: [B, C, N, d_model]. */
static am_value mix_features(am_builder *b, am_value x, const mixer *m)
{
    am_scope(b, "feature_mixer");
    am_value h = gate(b, mlp(b, norm(b, "norm", x, m), m), m);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Patches: [B, C, N, patch_length] -> [B, C, N, d_model]; names what comes out of each layer. */
static am_value encode(am_builder *b, am_value x, const mixer *m)
{
    bool has_positions = am_config_flag(am_model_config(b), "use_positional_encoding", false);
    am_scope(b, "encoder");
    x = am_linear(b, "patcher", x, m->d_model, AM_BIAS);
    if (has_positions)
        x = am_add(b, x, am_weight(b, "positional_encoder.position_enc", am_shape_of(m->series.patches, m->d_model)));
    for (int i = 0; i < m->num_layers && !am_builder_failed(b); i++) {
        am_scope(b, "mlp_mixer_encoder.mixers.%d", i);
        if (m->mixes_channels) x = mix_channels(b, x, m);
        x = mix_features(b, mix_patches(b, x, m), m);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    return x;
}

typedef struct body {
    mixer config;
    am_patches patches;
    am_value x; /* last hidden state: [B, C, N, d_model] */
} body;

static body run_body(am_builder *b, const char *prefix, const char *observed, bool masks)
{
    body r = {.config = read_config(b)};
    r.patches = am_patches_read(b, &r.config.series, observed, masks);
    am_scope(b, "%s", prefix);
    r.x = encode(b, r.patches.read, &r.config);
    am_end_scope(b);
    return r;
}

/* --- classes --- */

static void patchtsmixer_model(am_builder *b)
{
    body r = run_body(b, "", "observed_mask", false);
    am_output(b, "last_hidden_state", r.x);
    am_output(b, "patch_input", r.patches.scaled);
    am_output(b, "loc", r.patches.scale.loc);
    am_output(b, "scale", r.patches.scale.scale);
}

static void patchtsmixer_for_pretraining(am_builder *b)
{
    body r = run_body(b, "model", "observed_mask", true);
    int64_t length = r.config.series.patch_length;
    am_output(b, "prediction_outputs", am_linear(b, "head.base_pt_block", r.x, length, AM_BIAS));
    am_output(b, "last_hidden_state", r.x);
}

static void check_loss(const am_config *c)
{
    if (am_series_has_distribution(c) && !am_config_is(c, "loss", "nll"))
        am_config_fail(c, "loss", "expected mse or nll");
}

/* The channels prediction_channel_indices of x: [.., channels], in ascending order; x where there are none. */
static am_value chosen_channels(am_builder *b, am_value x, const mixer *m)
{
    enum { LIMIT = 4096 };
    const am_config *c = am_model_config(b);
    int64_t indices[LIMIT];
    if (!am_config_has(c, "prediction_channel_indices")) return x;
    int count = am_config_sizes(c, "prediction_channel_indices", indices, LIMIT, NULL, 0);
    int32_t *sorted = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *sorted);
    if (!sorted || count == 0) {
        am_config_fail(c, "prediction_channel_indices", "expected at least one channel");
        return x;
    }
    for (int i = 0; i < count; i++) {
        int at = i;
        if (indices[i] >= m->series.channels)
            am_config_fail(c, "prediction_channel_indices", "there is no channel %lld", (long long)indices[i]);
        for (; at > 0 && sorted[at - 1] > indices[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = (int32_t)indices[i];
    }
    return am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(count), sorted), am_rank(b, x) - 1, false);
}

static void patchtsmixer_for_prediction(am_builder *b)
{
    const am_config *c = am_model_config(b);
    body r = run_body(b, "model", "observed_mask", false);
    const mixer *m = &r.config;
    int64_t steps = am_config_size(c, "prediction_length", 16);
    am_series_scale scale = {chosen_channels(b, r.patches.scale.loc, m), chosen_channels(b, r.patches.scale.scale, m)};
    am_value x = am_flatten(b, r.x, 2, 3), parameters[AM_SERIES_PARAMETERS];
    am_input_optional(b, "future_values", -1); /* the loss reads it */
    check_loss(c);
    if (am_series_has_distribution(c)) {
        int count = am_series_parameters(b, "head.base_forecast_block", x, steps, parameters);
        for (int i = 0; i < count; i++) parameters[i] = chosen_channels(b, am_transpose(b, parameters[i], 1, 2), m);
        am_series_scale_parameters(b, parameters, scale.scale);
        am_series_output_parameters(b, "prediction_outputs", parameters, count);
    } else {
        x = am_linear(b, "head.base_forecast_block", x, steps, AM_BIAS);
        x = chosen_channels(b, am_transpose(b, x, 1, 2), m);
        am_output(b, "prediction_outputs", am_series_unscaled(b, x, &scale));
    }
    am_output(b, "last_hidden_state", r.x);
    am_output(b, "loc", scale.loc);
    am_output(b, "scale", scale.scale);
}

/* x: [B, C, N, d_model] with loc and scale of the channels mixed in, where series are scaled. */
static am_value inject_scale(am_builder *b, const body *r)
{
    am_value x = r->x, scale;
    int64_t d = r->config.d_model;
    am_shape s = am_shape_of_value(b, x);
    if (r->config.series.scaling == AM_SERIES_UNSCALED) return x;
    scale = am_concat2(b, r->patches.scale.loc, r->patches.scale.scale, 1);
    scale = am_unsqueeze(b, am_transpose(b, scale, 1, 2), 2);
    am_scope(b, "inject_scale");
    scale = am_linear(b, "map_scale_expansion", scale, 4, AM_BIAS);
    scale = am_linear(b, "map_scale_compression", scale, 2, AM_BIAS);
    x = am_concat2(b, x, am_broadcast(b, scale, am_shape_of(s.dims[0], s.dims[1], s.dims[2], 2)), 3);
    x = am_linear(b, "inverse_trans_expansion", x, 2 * d, AM_BIAS);
    x = am_linear(b, "inverse_trans_compression", x, d, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* One vector of the whole series: x: [B, C, N, d_model] -> [B, C * d_model], or [B, C * d_model * N]. */
static am_value aggregated(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    const char *how = am_config_text(c, "head_aggregation", "max_pool");
    if (am_config_is_null(c, "head_aggregation")) return am_flatten(b, am_transpose(b, x, 2, 3), 1, 3);
    if (strcmp(how, "use_last") == 0) return am_flatten(b, am_index(b, x, 2, -1), 1, 2);
    if (strcmp(how, "max_pool") != 0 && strcmp(how, "avg_pool") != 0)
        am_config_fail(c, "head_aggregation", "expected use_last, max_pool, avg_pool or null, found \"%s\"", how);
    am_reduce_fn fn = strcmp(how, "max_pool") == 0 ? AM_REDUCE_MAX : AM_REDUCE_MEAN;
    return am_flatten(b, am_reduce(b, fn, x, am_shape_of(2), false), 1, 2);
}

static void patchtsmixer_for_classification(am_builder *b)
{
    body r = run_body(b, "model", NULL, false);
    am_value x = inject_scale(b, &r);
    am_input_optional(b, "target_values", -1); /* the loss reads it */
    am_output(b, "prediction_outputs",
              am_patch_series_targets(b, &r.config.series, "head.projection", aggregated(b, x)));
    am_output(b, "last_hidden_state", x);
}

static void patchtsmixer_for_regression(am_builder *b)
{
    body r = run_body(b, "model", NULL, false);
    am_value x = inject_scale(b, &r);
    check_loss(am_model_config(b));
    am_patch_series_output_targets(b, &r.config.series, "head.projection", aggregated(b, x), "regression_outputs");
    am_output(b, "last_hidden_state", x);
}

static const am_architecture architectures[] = {
    {"PatchTSMixerModel", patchtsmixer_model, NULL, 0},
    {"PatchTSMixerForPretraining", patchtsmixer_for_pretraining, NULL, 0},
    {"PatchTSMixerForPrediction", patchtsmixer_for_prediction, NULL, 0},
    {"PatchTSMixerForTimeSeriesClassification", patchtsmixer_for_classification, NULL, 0},
    {"PatchTSMixerForRegression", patchtsmixer_for_regression, NULL, 0},
    {0},
};

const am_model_type am_model_patchtsmixer = {
    .name = "patchtsmixer", .base_prefix = "model", .architectures = architectures};

/* PatchTST (arXiv 2211.14730): a transformer over the patches of each channel of a series, which share its weights, and
   with channel_attention over the channels of each patch. transformers: models/patchtst/modeling_patchtst.py */
#include "models/blocks/attention.h"
#include "models/blocks/patch_series.h"

#include <stdio.h>
#include <string.h>

typedef struct patchtst {
    am_patch_series series;
    int64_t d_model, num_hidden_layers, num_attention_heads, ffn_dim;
    bool batch_norm, pre_norm, channel_attention, share_embedding, use_cls_token;
    int bias; /* of the feed-forward part */
    am_unary_fn activation;
    double norm_eps;
    const char *pooling_type; /* null: none */
} patchtst;

static bool read_norm_type(const am_config *c)
{
    const char *type = am_config_text(c, "norm_type", "batchnorm");
    if (strcmp(type, "batchnorm") != 0 && strcmp(type, "layernorm") != 0)
        am_config_fail(c, "norm_type", "expected batchnorm or layernorm, found \"%s\"", type);
    return strcmp(type, "batchnorm") == 0;
}

static const char *read_pooling_type(const am_config *c)
{
    const char *type = am_config_is_null(c, "pooling_type") ? NULL : am_config_text(c, "pooling_type", "mean");
    if (type && strcmp(type, "mean") != 0 && strcmp(type, "max") != 0)
        am_config_fail(c, "pooling_type", "expected mean, max or null, found \"%s\"", type);
    return type;
}

static patchtst read_config(am_builder *b)
{
    static const am_patch_series_defaults defaults = {.patch_size = 1, .targets = 1, .yes = AM_SERIES_MEAN};
    const am_config *c = am_model_config(b);
    patchtst p = {
        .series = am_patch_series_read(c, &defaults),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 128),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 3),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 4),
        .ffn_dim = am_config_size(c, "ffn_dim", 512),
        .batch_norm = read_norm_type(c),
        .pre_norm = am_config_flag(c, "pre_norm", true),
        .channel_attention = am_config_flag(c, "channel_attention", false),
        .share_embedding = am_config_flag(c, "share_embedding", true),
        .use_cls_token = am_config_flag(c, "use_cls_token", false),
        .bias = am_config_flag(c, "bias", true) ? AM_BIAS : AM_NO_BIAS,
        .activation = am_config_activation(c, "activation_function", AM_GELU),
        .norm_eps = am_config_real(c, "norm_eps", 1e-5),
        .pooling_type = read_pooling_type(c),
    };
    am_config_check_divides(c, "num_attention_heads", p.num_attention_heads, "d_model", p.d_model);
    return p;
}

/* --- embeddings --- */

/* The weights NAME.0.KIND .. of the channels as one: [channels, ..]. */
static am_value of_channels(am_builder *b, int64_t channels, const char *kind, am_shape shape)
{
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)channels, sizeof *parts);
    if (!parts) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < channels; i++) {
        char name[64];
        snprintf(name, sizeof name, "input_embedding.%lld.%s", (long long)i, kind);
        parts[i] = am_unsqueeze(b, am_weight(b, name, shape), 0);
    }
    return am_concat(b, parts, (int)channels, 0);
}

/* x: [B, C, N, patch_length] -> [B, C, N, d_model], by one projection or by one for each channel. */
static am_value embed(am_builder *b, am_value x, const patchtst *p)
{
    int64_t d = p->d_model, channels = p->series.channels;
    am_scope(b, "embedder");
    if (p->share_embedding) {
        x = am_linear(b, "input_embedding", x, d, AM_BIAS);
    } else {
        am_value weight = of_channels(b, channels, "weight", am_shape_of(d, p->series.patch_length));
        am_value bias = of_channels(b, channels, "bias", am_shape_of(d));
        x = am_add(b, am_matmul(b, x, weight, false, true), am_unsqueeze(b, bias, 1));
    }
    am_end_scope(b);
    return x;
}

/* x: [B, C, N, d_model] with positions, behind a token of the class where there is one. */
static am_value place(am_builder *b, am_value x, const patchtst *p)
{
    int64_t d = p->d_model, rows = am_dim(b, x, 2) + (p->use_cls_token ? 1 : 0);
    am_scope(b, "positional_encoder");
    am_value positions = am_weight(b, "position_enc", am_shape_of(rows, d));
    if (p->use_cls_token) {
        am_value token = am_weight(b, "cls_token", am_shape_of(1, 1, 1, d));
        token = am_broadcast(b, token, am_shape_of(am_dim(b, x, 0), p->series.channels, 1, d));
        x = am_concat2(b, token, x, 2);
    }
    x = am_add(b, x, positions);
    am_end_scope(b);
    return x;
}

/* --- layers --- */

/* The norm NAME of x: [.., d_model]. */
static am_value norm(am_builder *b, const char *name, am_value x, const patchtst *p)
{
    am_shape shape = am_shape_of_value(b, x);
    if (!p->batch_norm) return am_layer_norm(b, name, x, p->norm_eps);
    am_scope(b, "%s", name);
    x = am_batch_norm(b, "batchnorm", am_reshape(b, x, am_shape_of(-1, p->d_model)), p->norm_eps);
    am_end_scope(b);
    return am_reshape(b, x, shape);
}

/* What a part of the layer makes of x: [.., d_model]. */
typedef am_value part(am_builder *b, am_value x, const patchtst *p);

/* x with the part's answer added; the norm NAME stands before the part or after the sum. */
static am_value add_part(am_builder *b, const char *name, am_value x, part *run, const patchtst *p)
{
    if (p->pre_norm) return am_add(b, x, run(b, norm(b, name, x, p), p));
    return norm(b, name, am_add(b, x, run(b, x, p)), p);
}

/* Attention along axis 2 of x: [B, C, N, d_model]. */
static am_value attention(am_builder *b, am_value x, const patchtst *p)
{
    am_shape shape = am_shape_of_value(b, x);
    am_attention_options options = {.heads = p->num_attention_heads};
    am_scope(b, "self_attn");
    x = am_reshape(b, am_self_attention(b, am_flatten(b, x, 0, 1), &options), shape);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, am_value x, const patchtst *p)
{
    x = am_linear_activation(b, "ff.0", x, p->ffn_dim, p->bias, p->activation);
    return am_linear(b, "ff.3", x, p->d_model, p->bias);
}

/* x: [B, C, N, d_model] */
static am_value layer(am_builder *b, am_value x, const patchtst *p)
{
    x = add_part(b, "norm_sublayer1", x, attention, p);
    if (p->channel_attention) {
        x = add_part(b, "norm_sublayer2", am_transpose(b, x, 1, 2), attention, p);
        x = am_transpose(b, x, 1, 2);
    }
    return add_part(b, "norm_sublayer3", x, feed_forward, p);
}

typedef struct body {
    patchtst config;
    am_patches patches;
    am_value x; /* last hidden state: [B, C, N, d_model] */
} body;

static body run_body(am_builder *b, const char *prefix, bool masks)
{
    body r = {.config = read_config(b)};
    const patchtst *p = &r.config;
    r.patches = am_patches_read(b, &p->series, "past_observed_mask", masks);
    am_scope(b, "%s", prefix);
    am_scope(b, "encoder");
    am_value x = place(b, embed(b, r.patches.read, p), p);
    for (int i = 0; i < p->num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, p);
        am_end_scope(b);
    }
    am_end_scope(b);
    am_end_scope(b);
    r.x = x;
    return r;
}

/* --- classes --- */

static void patchtst_model(am_builder *b)
{
    body r = run_body(b, "", am_config_flag(am_model_config(b), "do_mask_input", false));
    am_input_optional(b, "future_values", -1); /* taken, and not looked at */
    am_output(b, "last_hidden_state", r.x);
    if (r.patches.mask.id) am_output(b, "mask", r.patches.mask);
    am_output(b, "loc", r.patches.scale.loc);
    am_output(b, "scale", r.patches.scale.scale);
    am_output(b, "patch_input", r.patches.scaled);
}

static void patchtst_for_pretraining(am_builder *b)
{
    body r = run_body(b, "model", true);
    am_value x = am_linear(b, "head.linear", r.x, r.config.series.patch_length, AM_BIAS);
    am_output(b, "prediction_output", r.config.use_cls_token ? am_slice(b, x, 2, 1, AM_SLICE_END) : x);
}

/* One vector of each channel: [B, C, d_model]; AM_NONE where nothing is pooled. */
static am_value pooled(am_builder *b, const body *r)
{
    const char *type = r->config.pooling_type;
    if (r->config.use_cls_token) return am_index(b, r->x, 2, 0);
    if (!type) return AM_NONE;
    return am_reduce(b, strcmp(type, "max") == 0 ? AM_REDUCE_MAX : AM_REDUCE_MEAN, r->x, am_shape_of(2), false);
}

/* The same of all channels: [B, C * d_model]. */
static am_value pooled_channels(am_builder *b, const body *r)
{
    am_value x = pooled(b, r);
    if (!x.id) am_config_fail(am_model_config(b), "pooling_type", "expected mean or max for this class");
    return x.id ? am_flatten(b, x, 1, 2) : am_flatten(b, am_index(b, r->x, 2, 0), 1, 2);
}

static void patchtst_for_classification(am_builder *b)
{
    body r = run_body(b, "model", false);
    am_input_optional(b, "target_values", -1); /* the loss reads it */
    am_value x = pooled_channels(b, &r);
    am_output(b, "prediction_logits", am_linear(b, "head.linear", x, r.config.series.targets, AM_BIAS));
}

static void patchtst_for_regression(am_builder *b)
{
    body r = run_body(b, "model", false);
    am_patch_series_output_targets(b, &r.config.series, "head.projection", pooled_channels(b, &r),
                                   "regression_outputs");
}

static void patchtst_for_prediction(am_builder *b)
{
    const am_config *c = am_model_config(b);
    body r = run_body(b, "model", false);
    int64_t steps = am_config_size(c, "prediction_length", 24);
    am_value x = pooled(b, &r), parameters[AM_SERIES_PARAMETERS];
    bool has_future = am_input_optional(b, "future_values", -1).id;
    if (!am_config_flag(c, "share_projection", true))
        am_config_unsupported(c, "share_projection", "false, with which transformers fails, too");
    if (!x.id) x = am_flatten(b, r.x, 2, 3);
    if (am_series_has_distribution(c)) {
        int count = am_series_parameters(b, "head.projection", x, steps, parameters);
        for (int i = 0; i < count; i++) parameters[i] = am_transpose(b, parameters[i], 1, 2);
        if (has_future) am_series_scale_parameters(b, parameters, r.patches.scale.scale);
        am_series_output_parameters(b, "prediction_outputs", parameters, count);
    } else {
        x = am_transpose(b, am_linear(b, "head.projection", x, steps, AM_BIAS), 1, 2);
        am_output(b, "prediction_outputs", am_series_unscaled(b, x, &r.patches.scale));
    }
    am_output(b, "loc", r.patches.scale.loc);
    am_output(b, "scale", r.patches.scale.scale);
}

static const am_architecture architectures[] = {
    {"PatchTSTModel", patchtst_model, NULL, 0},
    {"PatchTSTForPretraining", patchtst_for_pretraining, NULL, 0},
    {"PatchTSTForClassification", patchtst_for_classification, NULL, 0},
    {"PatchTSTForRegression", patchtst_for_regression, NULL, 0},
    {"PatchTSTForPrediction", patchtst_for_prediction, NULL, 0},
    {0},
};

const am_model_type am_model_patchtst = {.name = "patchtst", .base_prefix = "model", .architectures = architectures};

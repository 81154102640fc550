#include "models/blocks/time_series.h"

#include "models/blocks/layers.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* --- scaling --- */

am_series_scaling am_series_scaling_read(const am_config *c, am_series_scaling yes, am_series_scaling fallback)
{
    am_json value = am_json_get(c->object, "scaling");
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_MISSING) return fallback;
    if (kind != AM_JSON_NULL && kind != AM_JSON_BOOL && kind != AM_JSON_STRING)
        am_config_fail(c, "scaling", "expected a string or true or false, found %s", am_json_kind_name(kind));
    if (am_json_equals(value, "mean")) return AM_SERIES_MEAN;
    if (am_json_equals(value, "std")) return AM_SERIES_STD;
    return am_json_bool(value, false) ? yes : AM_SERIES_UNSCALED;
}

/* Fields that no configuration class has, and scalers look for. */
static void check_scaler(const am_config *c)
{
    if (am_config_int(c, "scaling_dim", 1) != 1) am_config_unsupported(c, "scaling_dim", "only 1 is supported");
    if (!am_config_flag(c, "keepdim", true)) am_config_unsupported(c, "keepdim", "only true is supported");
}

static am_value constant_like(am_builder *b, am_value x, double value)
{
    return am_iota(b, AM_F32, am_shape_of_value(b, x), 0, value, 0);
}

/* Over the steps, kept with size 1. */
static am_value sum_steps(am_builder *b, am_value x)
{
    return am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true);
}

static am_value at_least(am_builder *b, am_value x, double least)
{
    return am_binary_number(b, AM_MAX, x, least);
}

static am_series_scale std_scale(am_builder *b, am_value values, am_value observed)
{
    double least = am_config_real(am_model_config(b), "minimum_scale", 1e-5);
    am_value count = at_least(b, sum_steps(b, observed), 1);
    am_value loc = am_div(b, sum_steps(b, am_mul(b, values, observed)), count);
    am_value apart = am_unary(b, AM_SQUARE, am_mul(b, am_sub(b, values, loc), observed));
    am_value variance = am_div(b, sum_steps(b, apart), count);
    return (am_series_scale){loc, am_unary(b, AM_SQRT, am_add_number(b, variance, least))};
}

/* A series that nothing was observed of takes the scale of the whole batch, unless the configuration has one. */
static am_series_scale mean_scale(am_builder *b, am_value values, am_value observed)
{
    const am_config *c = am_model_config(b);
    am_value sum = sum_steps(b, am_unary(b, AM_ABS, am_mul(b, values, observed))), count = sum_steps(b, observed);
    am_value scale = am_div(b, sum, at_least(b, count, 1)), otherwise;
    if (am_config_has(c, "default_scale")) {
        otherwise = constant_like(b, scale, am_config_real(c, "default_scale", 1));
    } else {
        am_value all = am_reduce(b, AM_REDUCE_SUM, count, am_shape_of(0), true);
        otherwise = am_div(b, am_reduce(b, AM_REDUCE_SUM, sum, am_shape_of(0), true), at_least(b, all, 1));
    }
    scale = am_select(b, am_binary_number(b, AM_GREATER, count, 0), scale, otherwise);
    scale = at_least(b, scale, am_config_real(c, "minimum_scale", 1e-10));
    return (am_series_scale){constant_like(b, scale, 0), scale};
}

am_series_scale am_series_scale_of(am_builder *b, am_value values, am_value observed, am_series_scaling scaling)
{
    check_scaler(am_model_config(b));
    observed = observed.id ? am_cast(b, observed, AM_F32) : constant_like(b, values, 1);
    if (scaling == AM_SERIES_STD) return std_scale(b, values, observed);
    if (scaling == AM_SERIES_MEAN) return mean_scale(b, values, observed);
    am_value one = am_slice(b, values, 1, 0, 1);
    return (am_series_scale){constant_like(b, one, 0), constant_like(b, one, 1)};
}

am_value am_series_scaled(am_builder *b, am_value values, const am_series_scale *s)
{
    return am_div(b, am_sub(b, values, s->loc), s->scale);
}

am_value am_series_unscaled(am_builder *b, am_value x, const am_series_scale *s)
{
    return am_add(b, am_mul(b, x, s->scale), s->loc);
}

/* --- distributions --- */

/* What makes of any number one that a parameter may be. */
typedef enum domain { ANY, POSITIVE, AT_LEAST_EPSILON, ABOVE_TWO } domain;

typedef struct distribution {
    const char *name;
    int count;
    domain domains[AM_SERIES_PARAMETERS];
} distribution;

static const distribution distributions[] = {
    {"student_t", 3, {ABOVE_TWO, ANY, AT_LEAST_EPSILON}}, /* degrees of freedom, place, scale */
    {"normal", 2, {ANY, AT_LEAST_EPSILON}},               /* place, scale */
    {"negative_binomial", 2, {POSITIVE, ANY}},            /* count, logits */
    {0},
};

static const distribution *distribution_of(const am_config *c)
{
    const char *name = am_config_text(c, "distribution_output", "student_t");
    const distribution *d = distributions;
    while (d->name && strcmp(d->name, name) != 0) d++;
    if (d->name) return d;
    am_config_fail(c, "distribution_output", "expected student_t, normal or negative_binomial, found \"%s\"", name);
    return distributions;
}

static am_value into_domain(am_builder *b, am_value x, domain d)
{
    if (d == ANY) return x;
    am_value root = am_unary(b, AM_SQRT, am_add_number(b, am_unary(b, AM_SQUARE, x), 4));
    x = am_mul_number(b, am_add(b, x, root), 0.5); /* squareplus */
    if (d == ABOVE_TWO) return am_add_number(b, x, 2);
    return d == AT_LEAST_EPSILON ? at_least(b, x, (double)FLT_EPSILON) : x;
}

int am_series_parameters(am_builder *b, const char *name, am_value x, int64_t dim, am_value out[AM_SERIES_PARAMETERS])
{
    const distribution *d = distribution_of(am_model_config(b));
    am_scope(b, "%s", name);
    for (int i = 0; i < d->count; i++) {
        char projection[16];
        snprintf(projection, sizeof projection, "proj.%d", i);
        out[i] = into_domain(b, am_linear(b, projection, x, dim, AM_BIAS), d->domains[i]);
        if (dim == 1) out[i] = am_squeeze(b, out[i], -1);
    }
    am_end_scope(b);
    return d->count;
}

void am_series_scale_parameters(am_builder *b, am_value *parameters, am_value scale)
{
    if (strcmp(distribution_of(am_model_config(b))->name, "negative_binomial") == 0)
        parameters[1] = am_add(b, parameters[1], am_unary(b, AM_LOG, scale));
}

void am_series_output_parameters(am_builder *b, const char *name, const am_value *parameters, int count)
{
    for (int i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s.%d", name, i);
        am_output(b, text, parameters[i]);
    }
}

/* --- lags and features --- */

static void read_categories(const am_config *c, am_series_config *s)
{
    int count = (int)am_config_count(c, "num_static_categorical_features", 0);
    if (count == 0) return;
    s->categories = am_config_sizes(c, "cardinality", s->cardinality, AM_SERIES_CATEGORIES, NULL, 0);
    if (s->categories != count)
        am_config_fail(c, "cardinality", "expected num_static_categorical_features %d numbers, found %d", count,
                       s->categories);
    for (int i = 0; i < s->categories; i++) {
        int64_t half = (s->cardinality[i] + 1) / 2;
        s->embedding_dimension[i] = half < 50 ? half : 50;
    }
    bool given = am_json_count(am_json_get(c->object, "embedding_dimension")) > 0;
    int widths = given
                     ? am_config_sizes(c, "embedding_dimension", s->embedding_dimension, AM_SERIES_CATEGORIES, NULL, 0)
                     : s->categories;
    if (widths != count)
        am_config_fail(c, "embedding_dimension", "expected num_static_categorical_features %d numbers, found %d", count,
                       widths);
}

static void read_lags(const am_config *c, am_series_config *s)
{
    static const int64_t lags[] = {1, 2, 3, 4, 5, 6, 7};
    s->lag_count = am_config_sizes(c, "lags_sequence", s->lags, AM_SERIES_LAGS, lags, 7);
    if (s->lag_count == 0) am_config_fail(c, "lags_sequence", "expected at least one lag");
    for (int i = 0; i < s->lag_count; i++)
        if (s->lags[i] > s->longest_lag) s->longest_lag = s->lags[i];
}

am_series_config am_series_config_read(const am_config *c, am_series_scaling scaling)
{
    am_series_config s = {.prediction_length = am_config_size(c, "prediction_length", 1),
                          .input_size = am_config_size(c, "input_size", 1),
                          .scaling = am_series_scaling_read(c, AM_SERIES_MEAN, scaling)};
    if (!am_config_has(c, "prediction_length")) am_config_fail(c, "prediction_length", "missing");
    s.context_length = am_config_size(c, "context_length", s.prediction_length);
    read_lags(c, &s);
    read_categories(c, &s);
    s.feature_size = s.input_size * (s.lag_count + 2) + am_config_count(c, "num_dynamic_real_features", 0) +
                     am_config_count(c, "num_time_features", 0) + am_config_count(c, "num_static_real_features", 0);
    for (int i = 0; i < s.categories; i++) s.feature_size += s.embedding_dimension[i];
    s.feature_size = am_config_size(c, "feature_size", s.feature_size);
    return s;
}

/* The input as F32, of whole numbers, too: [B, T], or where there are several series in a row those: [B, T,
 * input_size]. */
static am_value read_values(am_builder *b, const am_series_config *s, const char *name)
{
    am_value x = am_input(b, name, s->input_size == 1 ? 2 : 3);
    if (am_rank(b, x) == 3 && am_dim(b, x, 2) != s->input_size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s: expected input_size %lld numbers a step, found %lld",
                                    name, (long long)s->input_size, (long long)am_dim(b, x, 2)));
    return am_cast(b, x, AM_F32);
}

static am_value embed_categories(am_builder *b, const am_series_config *s, am_value categories)
{
    am_value parts[AM_SERIES_CATEGORIES];
    if (am_dim(b, categories, 1) != s->categories) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "static_categorical_features: expected num_static_categorical_features %d numbers, "
                                    "found %lld",
                                    s->categories, (long long)am_dim(b, categories, 1)));
        return AM_NONE;
    }
    for (int i = 0; i < s->categories; i++) {
        char name[48];
        snprintf(name, sizeof name, "embedder.embedders.%d", i);
        parts[i] = am_embedding(b, name, am_index(b, categories, 1, i), s->cardinality[i], s->embedding_dimension[i]);
    }
    return am_concat(b, parts, s->categories, 1);
}

/* What is known of a series besides its values, and the logarithms of its scale: [B, ..]. */
static am_value static_features(am_builder *b, const am_series_config *s, const am_series_scale *scale)
{
    am_value parts[4], categories = am_input_optional(b, "static_categorical_features", 2);
    am_value reals = am_input_optional(b, "static_real_features", 2);
    bool has_channels = am_rank(b, scale->loc) == 3;
    int count = 0;
    if (categories.id) parts[count++] = embed_categories(b, s, categories);
    if (reals.id) parts[count++] = reals;
    am_value loc = has_channels ? am_squeeze(b, scale->loc, 1) : scale->loc;
    am_value size = has_channels ? am_squeeze(b, scale->scale, 1) : scale->scale;
    parts[count++] = am_unary(b, AM_LOG1P, am_unary(b, AM_ABS, loc));
    parts[count++] = am_unary(b, AM_LOG, size);
    return am_concat(b, parts, count, 1);
}

/* Features of the times of past, from the first step that all lags reach on, and future: [B, S, ..]. */
static am_value time_features(am_builder *b, const am_series_config *s, bool has_future)
{
    am_value past = am_input(b, "past_time_features", 3);
    int64_t T = am_dim(b, past, 1);
    if (!am_builder_failed(b) && T <= s->longest_lag)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "past_time_features: %lld steps, the longest lag is %lld",
                                    (long long)T, (long long)s->longest_lag));
    past = am_slice(b, past, 1, s->longest_lag, AM_SLICE_END);
    am_value future = (has_future ? am_input : am_input_optional)(b, "future_time_features", 3);
    return has_future ? am_concat2(b, past, future, 1) : past;
}

/* Of the last S steps of values: [B, T] or [B, T, C], what stood each lag before: [B, S, C * lags]. */
static am_value lag(am_builder *b, const am_series_config *s, am_value values, int64_t S)
{
    int64_t T = am_dim(b, values, 1), first = T - S - s->longest_lag;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)s->lag_count, sizeof *parts);
    if (am_builder_failed(b)) return AM_NONE;
    if (!parts || first < 0) {
        am_builder_fail(b, parts ? am_error(AM_INVALID_ARGUMENT, "past_values: %lld steps too few for the longest lag",
                                            (long long)-first)
                                 : am_out_of_memory());
        return AM_NONE;
    }
    for (int i = 0; i < s->lag_count; i++) {
        int64_t from = T - S - s->lags[i];
        parts[i] = am_unsqueeze(b, am_slice(b, values, 1, from, from + S), am_rank(b, values));
    }
    am_value x = am_concat(b, parts, s->lag_count, am_rank(b, values));
    return am_rank(b, x) == 4 ? am_flatten(b, x, 2, 3) : x;
}

static void check_feature_size(am_builder *b, const am_series_config *s, const am_series_inputs *inputs)
{
    int64_t found = am_dim(b, inputs->lagged, 2) + am_dim(b, inputs->features, 2);
    if (!am_builder_failed(b) && found != s->feature_size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "the inputs give %lld numbers a step, the configuration says %lld",
                                    (long long)found, (long long)s->feature_size));
}

am_series_inputs am_series_inputs_read(am_builder *b, const am_series_config *s)
{
    am_series_inputs inputs = {.has_future = am_has_input(b, "future_values")};
    am_value past = read_values(b, s, "past_values"), all = past;
    am_value observed = am_input_optional(b, "past_observed_mask", am_rank(b, past));
    if (observed.id) observed = am_slice(b, observed, 1, -s->context_length, AM_SLICE_END);
    am_value context = am_slice(b, past, 1, -s->context_length, AM_SLICE_END);
    inputs.scale = am_series_scale_of(b, context, observed, s->scaling);
    if (inputs.has_future) all = am_concat2(b, past, read_values(b, s, "future_values"), 1);
    inputs.static_features = static_features(b, s, &inputs.scale);
    am_value times = time_features(b, s, inputs.has_future), still = am_unsqueeze(b, inputs.static_features, 1);
    am_shape spread = am_shape_of(am_dim(b, still, 0), am_dim(b, times, 1), am_dim(b, still, 2));
    inputs.features = am_concat2(b, am_broadcast(b, still, spread), times, 2);
    int64_t S = s->context_length + (inputs.has_future ? s->prediction_length : 0);
    inputs.lagged = lag(b, s, am_series_scaled(b, all, &inputs.scale), S);
    check_feature_size(b, s, &inputs);
    return inputs;
}

void am_series_output_inputs(am_builder *b, const am_series_inputs *inputs)
{
    am_output(b, "loc", inputs->scale.loc);
    am_output(b, "scale", inputs->scale.scale);
    am_output(b, "static_features", inputs->static_features);
}

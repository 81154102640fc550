/* Autoformer (arXiv 2106.13008): layers that split a series into its trend, a moving average, and the rest, and that
   attend by shifting the series by the delays at which it repeats itself, found by Fourier transforms. transformers:
   models/autoformer/modeling_autoformer.py */
#include "models/blocks/attention.h"
#include "models/blocks/series_transformer.h"

#include <math.h>

typedef struct stack {
    int64_t layers, heads, ffn_dim;
} stack;

typedef struct autoformer {
    am_series_config series;
    am_series_inputs inputs;
    stack encoder, decoder;
    int64_t d_model, label_length, moving_average, autocorrelation_factor;
    am_unary_fn activation;
    const char *prefix; /* of the body's weights, or "" */
    am_value trend;     /* what the decoder found: [B, label_length + prediction_length, feature_size] */
} autoformer;

static void check(const am_config *c, const autoformer *a)
{
    if (a->moving_average % 2 == 0)
        am_config_fail(c, "moving_average", "%lld is even, so that a trend would be one step short",
                       (long long)a->moving_average);
    if (a->label_length > a->series.context_length)
        am_config_fail(c, "label_length", "%lld is more than context_length %lld", (long long)a->label_length,
                       (long long)a->series.context_length);
    am_config_check_divides(c, "encoder_attention_heads", a->encoder.heads, "d_model", a->d_model);
    am_config_check_divides(c, "decoder_attention_heads", a->decoder.heads, "d_model", a->d_model);
}

static autoformer read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    const char *layers = am_config_either(c, "encoder_layers", "num_hidden_layers");
    const char *heads = am_config_either(c, "encoder_attention_heads", "num_attention_heads");
    autoformer a = {
        .series = am_series_config_read(c, AM_SERIES_MEAN),
        .encoder = {am_config_count(c, layers, 2), am_config_size(c, heads, 2),
                    am_config_size(c, "encoder_ffn_dim", 32)},
        .decoder = {am_config_count(c, "decoder_layers", 2), am_config_size(c, "decoder_attention_heads", 2),
                    am_config_size(c, "decoder_ffn_dim", 32)},
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 64),
        .label_length = am_config_size(c, "label_length", 10),
        .moving_average = am_config_size(c, "moving_average", 25),
        .autocorrelation_factor = am_config_size(c, "autocorrelation_factor", 3),
        .activation = am_config_activation(c, "activation_function", AM_GELU),
        .prefix = prefix,
    };
    check(c, &a);
    am_scope(b, "%s", prefix);
    a.inputs = am_series_inputs_read(b, &a.series);
    am_end_scope(b);
    am_series_output_inputs(b, &a.inputs);
    return a;
}

/* --- trends --- */

/* The moving average of x: [B, T, C] over time, whose ends are repeated. */
static am_value trend_of(am_builder *b, am_value x, const autoformer *a)
{
    int64_t reach = (a->moving_average - 1) / 2;
    am_pad_attributes ends = {
        .before = am_shape_of(0, 0, reach), .after = am_shape_of(0, 0, reach), .mode = AM_PAD_REPLICATE};
    am_pool_attributes average = {
        .fn = AM_POOL_AVERAGE, .kernel = am_shape_of(a->moving_average), .stride = am_shape_of(1)};
    x = am_pad(b, am_transpose(b, x, 1, 2), &ends);
    return am_transpose(b, am_pool(b, x, &average), 1, 2);
}

/* x without its trend, which is added to *trends. */
static am_value detrend(am_builder *b, am_value x, const autoformer *a, am_value *trends)
{
    am_value trend = trend_of(b, x, a);
    if (trends) *trends = trends->id ? am_add(b, *trends, trend) : trend;
    return am_sub(b, x, trend);
}

/* LayerNorm whose mean over time is taken away. */
static am_value seasonal_norm(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = am_layer_norm(b, "layernorm", x, 1e-5);
    am_end_scope(b);
    return am_sub(b, x, am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), true));
}

/* --- attention --- */

/* x: [B, S, C] as T steps: the first ones, or zeros behind them. */
static am_value as_long(am_builder *b, am_value x, int64_t T)
{
    int64_t S = am_dim(b, x, 1);
    return S > T ? am_slice(b, x, 1, 0, T) : S < T ? am_pad_zero(b, x, 1, 0, T - S) : x;
}

/* Mean over channels of the correlation of q with k shifted by each of T delays: [B, T, C] -> [B, T]. */
static am_value autocorrelations(am_builder *b, am_value q, am_value k, int64_t T)
{
    am_fourier_attributes forward = {.real_input = true, .axis = 1, .length = T};
    am_fourier_attributes backward = {.inverse = true, .real_output = true, .axis = 1, .length = T};
    am_value Q = am_fourier(b, q, &forward), K = am_fourier(b, k, &forward);
    am_value q_re = am_slice(b, Q, 3, 0, 1), q_im = am_slice(b, Q, 3, 1, 2);
    am_value k_re = am_slice(b, K, 3, 0, 1), k_im = am_slice(b, K, 3, 1, 2);
    am_value re = am_add(b, am_mul(b, q_re, k_re), am_mul(b, q_im, k_im));
    am_value im = am_sub(b, am_mul(b, q_im, k_re), am_mul(b, q_re, k_im));
    am_value product = am_reduce(b, AM_REDUCE_MEAN, am_concat2(b, re, im, 3), am_shape_of(2), false);
    return am_fourier(b, product, &backward);
}

/* v: [B * H, T, D] shifted by each of delays: [B * H, K], the sum of that weighted by weights: [B * H, K]. */
static am_value aggregate(am_builder *b, am_value v, am_value weights, am_value delays)
{
    int64_t N = am_dim(b, v, 0), T = am_dim(b, v, 1), D = am_dim(b, v, 2), K = am_dim(b, delays, 1);
    am_value steps = am_iota(b, AM_I32, am_shape_of(1, 1, T), 2, 0, 1);
    am_value at = am_binary_number(b, AM_MOD, am_add(b, am_unsqueeze(b, delays, 2), steps), (double)T);
    at = am_broadcast(b, am_reshape(b, at, am_shape_of(N, K * T, 1)), am_shape_of(N, K * T, D));
    am_value shifted = am_reshape(b, am_gather(b, v, at, 1, true), am_shape_of(N, K, T, D));
    am_value parts = am_mul(b, shifted, am_reshape(b, weights, am_shape_of(N, K, 1, 1)));
    return am_reduce(b, AM_REDUCE_SUM, parts, am_shape_of(1), false);
}

/* Delays are found for each row of the batch; head h of row b takes, as in transformers, those of row (b H + h) mod B.
 */
static am_value delays_of_heads(am_builder *b, am_value x, int64_t B, int64_t H)
{
    am_value rows = am_binary_number(b, AM_MOD, am_iota(b, AM_I32, am_shape_of(B * H), 0, 0, 1), (double)B);
    return am_gather(b, x, rows, 0, false);
}

/* Autocorrelation of x: [B, T, C] with states: [B, S, C], which are x itself in self-attention. */
static am_value attention(am_builder *b, am_value x, am_value states, int64_t H, const autoformer *a)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), S = am_dim(b, states, 1), C = a->d_model, D = C / H;
    int64_t K = (int64_t)((double)a->autocorrelation_factor * log((double)T));
    am_value q = am_linear(b, "q_proj", x, C, AM_BIAS), delays;
    am_value k = as_long(b, am_linear(b, "k_proj", states, C, AM_BIAS), T);
    am_value v = am_split_heads(b, as_long(b, am_linear(b, "v_proj", states, C, AM_BIAS), T), H);
    if (K > T)
        am_config_fail(am_model_config(b), "autocorrelation_factor", "asks for %lld delays of %lld steps", (long long)K,
                       (long long)T);
    if (T > S) q = as_long(b, q, T - S);
    v = am_reshape(b, am_transpose(b, v, 1, 2), am_shape_of(B * H, T, D));
    if (K > 0) {
        am_value best = am_top_k(b, autocorrelations(b, q, k, T), 1, K, false, &delays);
        v = aggregate(b, v, delays_of_heads(b, am_softmax(b, best, 1), B, H), delays_of_heads(b, delays, B, H));
    } else v = am_mul_number(b, v, 0);
    v = am_transpose(b, am_reshape(b, v, am_shape_of(B, H, T, D)), 1, 2);
    return am_linear(b, "out_proj", am_merge_heads(b, v), C, AM_BIAS);
}

/* --- layers --- */

/* x + attention in the scope NAME, over states. */
static am_value add_attention(am_builder *b, const char *name, am_value x, am_value states, int64_t heads,
                              const autoformer *a)
{
    am_scope(b, "%s", name);
    am_value h = attention(b, x, states, heads, a);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value add_feed_forward(am_builder *b, am_value x, int64_t ffn_dim, const autoformer *a)
{
    am_bart_part part = {.d_model = a->d_model, .ffn_dim = ffn_dim, .activation = a->activation};
    return am_add(b, x, am_bart_two_projections(b, x, &part));
}

static am_value encoder_layer(am_builder *b, am_value x, const autoformer *a)
{
    x = add_attention(b, "self_attn", x, x, a->encoder.heads, a);
    x = detrend(b, am_layer_norm(b, "self_attn_layer_norm", x, 1e-5), a, NULL);
    x = detrend(b, add_feed_forward(b, x, a->encoder.ffn_dim, a), a, NULL);
    return seasonal_norm(b, "final_layer_norm", x);
}

/* trend: [B, T, feature_size] takes the trends of the parts. */
static am_value decoder_layer(am_builder *b, am_value x, am_value encoded, const autoformer *a, am_value *trend)
{
    am_value trends = AM_NONE;
    am_pad_attributes around = {.before = am_shape_of(0, 0, 1), .after = am_shape_of(0, 0, 1), .mode = AM_PAD_CIRCULAR};
    x = detrend(b, add_attention(b, "self_attn", x, x, a->decoder.heads, a), a, &trends);
    x = am_layer_norm(b, "self_attn_layer_norm", x, 1e-5);
    x = detrend(b, add_attention(b, "encoder_attn", x, encoded, a->decoder.heads, a), a, &trends);
    x = am_layer_norm(b, "encoder_attn_layer_norm", x, 1e-5);
    x = detrend(b, add_feed_forward(b, x, a->decoder.ffn_dim, a), a, &trends);
    trends = am_pad(b, am_transpose(b, trends, 1, 2), &around);
    trends = am_conv(b, "trend_projection", trends, a->series.feature_size, am_shape_of(3), AM_NO_BIAS,
                     &(am_convolution_attributes){0});
    *trend = am_add(b, *trend, am_transpose(b, trends, 1, 2));
    return seasonal_norm(b, "final_layer_norm", x);
}

static am_value encode(am_builder *b, const void *model)
{
    const autoformer *a = model;
    am_value x = am_concat2(b, a->inputs.lagged, a->inputs.features, 2);
    am_scope(b, "%s", a->prefix);
    am_scope(b, "encoder");
    x = am_series_embed(b, &a->series, am_slice(b, x, 1, 0, a->series.context_length), 0);
    for (int i = 0; i < a->encoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = encoder_layer(b, x, a);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "encoder_hidden_states", (int)a->encoder.layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* What the decoder starts from: the last label_length steps of past: [B, context_length, ..], then `future` of the same
   width as often as steps are asked for, and the features of those times. */
static am_value start(am_builder *b, const autoformer *a, am_value past, am_value future)
{
    int64_t first = a->series.context_length - a->label_length;
    am_shape asked = am_shape_of(am_dim(b, past, 0), a->series.prediction_length, am_dim(b, past, 2));
    past = am_concat2(b, am_slice(b, past, 1, first, AM_SLICE_END), am_broadcast(b, future, asked), 1);
    return am_concat2(b, past, am_slice(b, a->inputs.features, 1, first, AM_SLICE_END), 2);
}

/* What is left of the series, [B, label_length + prediction_length, feature_size]; its trend comes beside. */
static am_value decode(am_builder *b, autoformer *a, am_value encoded)
{
    am_value past = am_slice(b, a->inputs.lagged, 1, 0, a->series.context_length), slow = trend_of(b, past, a);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, past, am_shape_of(1), true);
    am_value x = start(b, a, am_sub(b, past, slow), am_mul_number(b, mean, 0));
    a->trend = start(b, a, slow, mean);
    am_scope(b, "%s", a->prefix);
    am_scope(b, "decoder");
    x = am_series_embed(b, &a->series, x, a->series.context_length - a->label_length);
    for (int i = 0; i < a->decoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, encoded, a, &a->trend);
        am_end_scope(b);
    }
    x = am_linear(b, "seasonality_projection", x, a->series.feature_size, AM_BIAS);
    am_output_hidden_state(b, "decoder_hidden_states", (int)a->decoder.layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Both sides; AM_NONE without a future, which the decoder needs. */
static am_value run(am_builder *b, autoformer *a)
{
    if (am_has_input(b, "decoder_attention_mask"))
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "decoder_attention_mask: correlations cannot be masked"));
    am_value encoded = encode(b, a);
    am_output(b, "encoder_last_hidden_state", encoded);
    return a->inputs.has_future ? decode(b, a, encoded) : AM_NONE;
}

static void autoformer_model(am_builder *b)
{
    autoformer a = read_config(b, "");
    am_value x = run(b, &a);
    if (!x.id) return;
    am_output(b, "last_hidden_state", x);
    am_output(b, "trend", a.trend);
}

static void autoformer_for_prediction(am_builder *b)
{
    autoformer a = read_config(b, "model");
    am_value x = run(b, &a);
    if (!x.id) return;
    x = am_slice(b, am_add(b, x, a.trend), 1, -a.series.prediction_length, AM_SLICE_END);
    am_series_output_prediction(b, &a.series, &a.inputs, x);
}

static const am_architecture architectures[] = {
    {"AutoformerModel", autoformer_model, NULL, 0},
    {"AutoformerForPrediction", autoformer_for_prediction, NULL, 0},
    {0},
};

const am_model_type am_model_autoformer = {
    .name = "autoformer", .base_prefix = "model", .architectures = architectures};

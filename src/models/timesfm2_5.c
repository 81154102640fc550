/* TimesFM 2.5: TimesFM with rotary positions and norms of heads, whose patches are scaled by what stood before their
   ends; a series and its negative are read, so that a forecast turns with its sign, and a second head says how far
   quantiles lie apart. transformers: models/timesfm2_5/modeling_timesfm2_5.py */
#include "models/blocks/attention.h"
#include "models/blocks/timesfm.h"

#include <math.h>

static const double TOLERANCE = 1e-6; /* not configurable */

typedef struct timesfm {
    int64_t patch_length, num_hidden_layers, hidden_size, intermediate_size, head_dim, heads, kv_heads;
    double rms_norm_eps;
    int attention_bias, mlp_bias;
    bool is_causal;
    am_unary_fn activation;
    am_rope_config rope;
} timesfm;

static timesfm read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    timesfm t = {
        .patch_length = am_config_size(c, "patch_length", 32),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 20),
        .hidden_size = am_config_size(c, "hidden_size", 1280),
        .intermediate_size = am_config_size(c, "intermediate_size", 1280),
        .head_dim = am_config_size(c, "head_dim", 80),
        .heads = am_config_size(c, "num_attention_heads", 16),
        .kv_heads = am_config_size(c, "num_key_value_heads", 16),
        .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-6),
        .attention_bias = am_config_flag(c, "attention_bias", false) ? AM_BIAS : AM_NO_BIAS,
        .mlp_bias = am_config_flag(c, "use_bias", false) ? AM_BIAS : AM_NO_BIAS,
        .is_causal = am_config_flag(c, "is_causal", true),
        .activation = am_config_activation(c, "activation", AM_SILU),
    };
    t.rope = am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, t.head_dim, 10000, 1, 16384);
    am_config_check_divides(c, "num_key_value_heads", t.kv_heads, "num_attention_heads", t.heads);
    return t;
}

/* --- scaling --- */

typedef struct patches {
    am_value values;     /* [B, N, P] */
    am_value padding;    /* BOOL [B, N, P] */
    am_value loc, scale; /* [B, N, 1]: mean and deviation of all that is no padding up to the end of each patch */
} patches;

static am_value sum_last(am_builder *b, am_value x)
{
    return am_reduce_last(b, AM_REDUCE_SUM, x);
}

/* x / count, and 0 where nothing was counted, whose x is 0. */
static am_value per(am_builder *b, am_value x, am_value count)
{
    return am_div(b, x, am_binary_number(b, AM_MAX, count, 1));
}

/* Of all patches up to each, patch by patch (Chan, Golub, LeVeque 1979): the variance within them and that of their
   means. mean, variance, count, sum: [B, N, 1]; all: the counts' running sum -> [B, N, 1]. */
static am_value running_variance(am_builder *b, am_value mean, am_value variance, am_value count, am_value sum,
                                 am_value all)
{
    am_value before = am_sub(b, all, count), loc = per(b, am_scan(b, AM_REDUCE_SUM, sum, 1, true, false), before);
    am_value apart = am_unary(b, AM_SQUARE, am_sub(b, mean, loc)), share = per(b, am_mul(b, before, count), all);
    am_value grown = am_add(b, am_mul(b, count, variance), am_mul(b, apart, share));
    return per(b, am_scan(b, AM_REDUCE_SUM, grown, 1, false, false), all);
}

/* values, padding: [B, T], T being whole patches. */
static patches cut(am_builder *b, am_value values, am_value padding, const timesfm *t)
{
    int64_t B = am_dim(b, values, 0), T = am_dim(b, values, 1);
    am_shape shape = am_shape_of(B, -1, t->patch_length);
    if (T % t->patch_length != 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%lld steps are no whole patches of %lld", (long long)T,
                                    (long long)t->patch_length));
    padding = am_binary_number(b, AM_GREATER_EQUAL, am_cast(b, padding, AM_F32), 0.5);
    patches p = {.values = am_reshape(b, values, shape), .padding = am_reshape(b, padding, shape)};
    am_value present = am_cast(b, am_unary(b, AM_LOGICAL_NOT, p.padding), AM_F32), count = sum_last(b, present);
    am_value all = am_scan(b, AM_REDUCE_SUM, count, 1, false, false);
    am_value sum = sum_last(b, am_mul(b, p.values, present)), mean = per(b, sum, count);
    am_value apart = am_mul(b, am_sub(b, p.values, mean), present);
    am_value variance = per(b, sum_last(b, am_unary(b, AM_SQUARE, apart)), count);
    p.loc = per(b, am_scan(b, AM_REDUCE_SUM, sum, 1, false, false), all);
    p.scale = am_unary(b, AM_SQRT, running_variance(b, mean, variance, count, sum, all));
    return p;
}

/* (x - loc) / scale, whatever has no deviation being left as wide as it is. */
static am_value scaled(am_builder *b, am_value x, am_value loc, am_value scale)
{
    am_value flat = am_binary_number(b, AM_LESS, scale, TOLERANCE);
    return am_div(b, am_sub(b, x, loc), am_select(b, flat, am_scalar(b, AM_F32, 1), scale));
}

/* --- layers --- */

static am_value attention(am_builder *b, am_value x, const am_attention_options *options, const am_rope *rope,
                          const timesfm *t)
{
    am_value qkv[3];
    am_scope(b, "self_attn");
    am_attention_heads(b, x, options, qkv);
    am_value q = am_rms_norm(b, "q_norm", am_rope_apply(b, rope, qkv[0]), t->rms_norm_eps, 0);
    am_value k = am_rms_norm(b, "k_norm", am_rope_apply(b, rope, qkv[1]), t->rms_norm_eps, 0);
    x = am_attend(b, am_timesfm_scale_queries(b, q), k, qkv[2], options);
    x = am_linear(b, "o_proj", x, t->hidden_size, t->attention_bias);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const timesfm *t)
{
    am_scope(b, "mlp");
    bool is_published = am_has_weight(b, "ff0.weight"); /* transformers renames them when it loads and saves */
    x = am_linear_activation(b, is_published ? "ff0" : "fc1", x, t->intermediate_size, t->mlp_bias, t->activation);
    x = am_linear(b, is_published ? "ff1" : "fc2", x, t->hidden_size, t->mlp_bias);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *options, const am_rope *rope,
                      const timesfm *t)
{
    double eps = t->rms_norm_eps;
    am_value h = attention(b, am_rms_norm(b, "input_layernorm", x, eps, 0), options, rope, t);
    x = am_add(b, x, am_rms_norm(b, "post_attention_layernorm", h, eps, 0));
    h = mlp(b, am_rms_norm(b, "pre_feedforward_layernorm", x, eps, 0), t);
    return am_add(b, x, am_rms_norm(b, "post_feedforward_layernorm", h, eps, 0));
}

/* Positions count from the first patch that does not end in padding. padded: BOOL [B, N]. */
static am_rope rope_of(am_builder *b, am_value padded, const timesfm *t)
{
    am_value before = am_reduce(b, AM_REDUCE_SUM, am_cast(b, padded, AM_I32), am_shape_of(1), true);
    am_value places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, padded, 1)), 1, 0, 1);
    return am_rope_tables_at(b, &t->rope, am_sub(b, places, before));
}

/* Last hidden state of the patches: [B, N, hidden_size]; names hidden states of the first `rows`. */
static am_value body(am_builder *b, const patches *p, int64_t rows, const timesfm *t, const char *prefix)
{
    am_value padded = am_index(b, p->padding, 2, -1), x = scaled(b, p->values, p->loc, p->scale);
    am_rope rope = rope_of(b, padded, t);
    am_attention_options options = {.heads = t->heads,
                                    .kv_heads = t->kv_heads,
                                    .head_dim = t->head_dim,
                                    .no_q_bias = t->attention_bias == AM_NO_BIAS,
                                    .no_k_bias = t->attention_bias == AM_NO_BIAS,
                                    .no_v_bias = t->attention_bias == AM_NO_BIAS,
                                    .causal = t->is_causal,
                                    .scale = 1,
                                    .mask = am_padding_mask_of(b, am_unary(b, AM_LOGICAL_NOT, padded))};
    x = am_concat2(b, am_select(b, p->padding, am_scalar(b, AM_F32, 0), x), am_cast(b, p->padding, AM_F32), 2);
    am_scope(b, "%s", prefix);
    x = am_timesfm_residual(b, "input_ff_layer", x, t->hidden_size, t->hidden_size, t->activation, AM_BIAS);
    for (int i = 0; i <= t->num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, am_slice(b, x, 0, 0, rows));
        am_scope(b, "layers.%d", i);
        if (i < t->num_hidden_layers) x = layer(b, x, &options, &rope, t);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void timesfm_model(am_builder *b)
{
    timesfm t = read_config(b);
    am_value values = am_input(b, "past_values", 2), padding = am_input_optional(b, "past_values_padding", 2);
    padding = padding.id ? am_slice(b, padding, 1, 0, am_dim(b, values, 1)) : am_mul_number(b, values, 0);
    patches p = cut(b, values, padding, &t);
    am_value scale = am_squeeze(b, p.scale, 2), loc = am_squeeze(b, p.loc, 2);
    am_output(b, "last_hidden_state", body(b, &p, am_dim(b, values, 0), &t, ""));
    am_output(b, "loc", am_index(b, loc, 1, -1));
    am_output(b, "scale", am_binary_number(b, AM_MAX, am_index(b, scale, 1, -1), TOLERANCE));
    am_output(b, "context_mu", loc);
    am_output(b, "context_sigma", scale);
}

/* What the residual block NAME of the last patch's x: [B, C] says: [B, length, Q]. */
static am_value project(am_builder *b, const char *name, am_value x, const patches *p, int64_t length, int64_t Q,
                        const timesfm *t)
{
    x = am_timesfm_residual(b, name, x, t->hidden_size, length * Q, t->activation, AM_NO_BIAS);
    x = am_add(b, am_mul(b, x, am_index(b, p->scale, 1, -1)), am_index(b, p->loc, 1, -1));
    return am_reshape(b, x, am_shape_of(-1, length, Q));
}

/* x: [2 B, T, Q] of series and their negatives -> [B, T, Q]: half of what the first say less the second, whose
   quantiles stand in the other order. */
static am_value unflipped(am_builder *b, am_value x, int64_t rows)
{
    if (am_dim(b, x, 0) == rows) return x;
    am_value flipped = am_slice(b, x, 0, rows, AM_SLICE_END), mean = am_slice(b, flipped, 2, 0, 1);
    am_value rest = am_slice_step(b, am_slice(b, flipped, 2, 1, AM_SLICE_END), 2, -1, AM_SLICE_END, -1);
    return am_mul_number(b, am_sub(b, am_slice(b, x, 0, 0, rows), am_concat2(b, mean, rest, 2)), 0.5);
}

/* points: [B, horizon, Q] whose quantiles, but the median, lie from it as far as those of spreads: [B, length, Q]. */
static am_value spread_out(am_builder *b, am_value points, am_value spreads, int64_t median)
{
    int64_t horizon = am_dim(b, points, 1), Q = am_dim(b, points, 2), reach = am_dim(b, spreads, 1);
    if (reach > horizon) reach = horizon;
    am_value near = am_slice(b, points, 1, 0, reach), far = am_slice(b, spreads, 1, 0, reach);
    am_value moved = am_sub(b, am_slice(b, near, 2, median, median + 1), am_slice(b, far, 2, median, median + 1));
    am_value column = am_iota(b, AM_I32, am_shape_of(1, 1, Q), 2, 0, 1);
    am_value moves = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_NOT_EQUAL, column, 0),
                               am_binary_number(b, AM_NOT_EQUAL, column, (double)median));
    near = am_select(b, moves, am_add(b, far, moved), near);
    return reach < horizon ? am_concat2(b, near, am_slice(b, points, 1, reach, AM_SLICE_END), 1) : near;
}

/* Mean and deviation, by one value less, of each row of x: [B, T]: [B, 1]. */
static void measure(am_builder *b, am_value x, am_value *loc, am_value *scale)
{
    int64_t T = am_dim(b, x, 1);
    *loc = am_reduce_last(b, AM_REDUCE_MEAN, x);
    am_value apart = sum_last(b, am_unary(b, AM_SQUARE, am_sub(b, x, *loc)));
    *scale = am_unary(b, AM_SQRT, am_mul_number(b, apart, 1 / ((double)T - 1)));
}

/* What the patches say of the horizon: [B, horizon, Q]. */
static am_value forecast(am_builder *b, const patches *p, int64_t rows, int64_t median, int64_t Q, const timesfm *t)
{
    const am_config *c = am_model_config(b);
    am_value x = body(b, p, rows, t, "model");
    am_output(b, "last_hidden_state", am_slice(b, x, 0, 0, rows));
    x = am_index(b, x, 1, -1);
    int64_t horizon = am_config_size(c, "horizon_length", 128), reach = am_config_size(c, "output_quantile_len", 1024);
    am_value points = unflipped(b, project(b, "output_projection_point", x, p, horizon, Q, t), rows);
    if (!am_config_flag(c, "use_continuous_quantile_head", true)) return points;
    am_value spreads = unflipped(b, project(b, "output_projection_quantiles", x, p, reach, Q, t), rows);
    return spread_out(b, points, spreads, median);
}

static void timesfm_for_prediction(am_builder *b)
{
    const am_config *c = am_model_config(b);
    timesfm t = read_config(b);
    int64_t length = am_model_argument(b, "forecast_context_len", 0), median = am_config_count(c, "decode_index", 5);
    int64_t Q = am_timesfm_columns(c);
    if (length <= 0) length = am_config_size(c, "context_length", 16384);
    if (median > Q - 1) median = Q - 1;
    am_timesfm_context context = am_timesfm_context_read(b, length, length);
    am_value loc, scale, padding = context.padding;
    measure(b, context.values, &loc, &scale);
    am_value x = scaled(b, context.values, loc, scale);
    int64_t rows = am_dim(b, x, 0);
    if (am_model_argument(b, "force_flip_invariance", am_config_flag(c, "force_flip_invariance", true))) {
        x = am_concat2(b, x, am_unary(b, AM_NEG, x), 0);
        padding = am_concat2(b, padding, padding, 0);
    }
    patches p = cut(b, x, padding, &t);
    x = forecast(b, &p, rows, median, Q, &t);
    x = am_add(b, am_mul(b, x, am_unsqueeze(b, scale, 2)), am_unsqueeze(b, loc, 2));
    bool clamps = am_model_argument(b, "truncate_negative", am_config_flag(c, "infer_is_positive", true)) != 0;
    am_timesfm_output_predictions(b, &context, am_index(b, x, 2, median), x, clamps);
}

static const am_architecture architectures[] = {
    {"TimesFm2_5Model", timesfm_model, NULL, 0},
    {"TimesFm2_5ModelForPrediction", timesfm_for_prediction, NULL, 0},
    {0},
};

const am_model_type am_model_timesfm2_5 = {
    .name = "timesfm2_5", .base_prefix = "model", .architectures = architectures};

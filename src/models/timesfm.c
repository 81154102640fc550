/* TimesFM (arXiv 2310.10688): a causal decoder over patches of a series, which is scaled by the first patch that has
   values enough; each patch says what the horizon after it holds, as a mean and quantiles. transformers:
   models/timesfm/modeling_timesfm.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/timesfm.h"

#include <math.h>

enum { VALUES_ENOUGH = 3 }; /* of a patch whose mean and deviation scale the series */

typedef struct timesfm {
    int64_t patch_length, freq_size, num_hidden_layers, hidden_size, intermediate_size, head_dim, num_attention_heads;
    double tolerance, rms_norm_eps, pad_val;
    bool use_positional_embedding;
} timesfm;

static timesfm read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    timesfm t = {
        .patch_length = am_config_size(c, "patch_length", 32),
        .freq_size = am_config_size(c, "freq_size", 3),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 50),
        .hidden_size = am_config_size(c, "hidden_size", 1280),
        .intermediate_size = am_config_size(c, "intermediate_size", 1280),
        .head_dim = am_config_size(c, "head_dim", 80),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 16),
        .tolerance = am_config_real(c, "tolerance", 1e-6),
        .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-6),
        .pad_val = am_config_real(c, "pad_val", 1123581321.0),
        .use_positional_embedding = am_config_flag(c, "use_positional_embedding", false),
    };
    if (t.use_positional_embedding && t.hidden_size % 2 != 0)
        am_config_fail(c, "hidden_size", "%lld is odd: positions are sines and cosines", (long long)t.hidden_size);
    return t;
}

/* --- patches --- */

static am_value is_near(am_builder *b, am_value x, double value, const timesfm *t)
{
    return am_binary_number(b, AM_LESS, am_unary(b, AM_ABS, am_add_number(b, x, -value)), t->tolerance);
}

/* 1 - x */
static am_value complement(am_builder *b, am_value x)
{
    return am_add_number(b, am_unary(b, AM_NEG, x), 1);
}

/* First place along axis 1 where condition: BOOL [B, N] holds, else `otherwise`: I32 [B]. */
static am_value first_place(am_builder *b, am_value condition, int64_t otherwise)
{
    am_value marks = am_cast(b, condition, AM_I32), any = am_reduce(b, AM_REDUCE_ANY, condition, am_shape_of(1), false);
    return am_select(b, any, am_arg_reduce(b, marks, 1, false), am_scalar(b, AM_I32, (double)otherwise));
}

static am_value sum_last(am_builder *b, am_value x)
{
    return am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(am_rank(b, x) - 1), false);
}

typedef struct patches {
    am_value tokens;     /* [B, N, 2 P]: scaled values, and whether they are padding */
    am_value padding;    /* F32 [B, N], 1 where a whole patch is padding */
    am_value loc, scale; /* [B] */
} patches;

/* Mean and deviation of what is not padding in the first patch that has enough of that, or else the last: values, pads:
   [B, N, P]. */
static void measure(am_builder *b, am_value values, am_value pads, const timesfm *t, patches *out)
{
    am_value present = complement(b, pads),
             full = am_binary_number(b, AM_GREATER_EQUAL, sum_last(b, present), VALUES_ENOUGH);
    am_value place = first_place(b, full, am_dim(b, values, 1) - 1);
    values = am_rows_at(b, values, place);
    present = am_rows_at(b, present, place);
    am_value count = am_binary_number(b, AM_MAX, sum_last(b, present), 1);
    out->loc = am_div(b, sum_last(b, am_mul(b, values, present)), count);
    am_value apart = am_mul(b, am_sub(b, values, am_unsqueeze(b, out->loc, 1)), present);
    am_value variance = am_div(b, sum_last(b, am_unary(b, AM_SQUARE, apart)), count);
    out->scale = am_binary_number(b, AM_MAX, am_unary(b, AM_SQRT, variance), t->tolerance);
}

/* values, padding: [B, T], T being whole patches. */
static patches cut(am_builder *b, am_value values, am_value padding, const timesfm *t)
{
    patches p = {0};
    int64_t B = am_dim(b, values, 0), T = am_dim(b, values, 1);
    am_shape shape = am_shape_of(B, -1, t->patch_length), each = am_shape_of(B, 1, 1);
    if (T % t->patch_length != 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%lld steps are no whole patches of %lld", (long long)T,
                                    (long long)t->patch_length));
    am_value pads = am_reshape(b, am_cast(b, padding, AM_F32), shape);
    am_value x = am_select(b, is_near(b, pads, 1, t), am_scalar(b, AM_F32, 0), am_reshape(b, values, shape));
    am_value marked = is_near(b, x, t->pad_val, t);
    pads = am_select(b, marked, am_scalar(b, AM_F32, 1), pads);
    measure(b, x, pads, t, &p);
    am_value scaled = am_sub(b, x, am_reshape(b, p.loc, each));
    scaled = am_select(b, marked, x, am_div(b, scaled, am_reshape(b, p.scale, each)));
    p.tokens = am_concat2(b, am_mul(b, scaled, complement(b, pads)), pads, 2);
    p.padding = am_reduce(b, AM_REDUCE_MIN, pads, am_shape_of(2), false);
    return p;
}

/* --- positions --- */

/* Of hidden_size / 2 sines: from min_timescale down to 1 / max_timescale of it, unless the file has them: F64. */
static am_value frequencies(am_builder *b, const timesfm *t)
{
    const am_config *c = am_model_config(b);
    int64_t count = t->hidden_size / 2;
    am_value own = am_weight_optional(b, "position_emb.inv_timescales", am_shape_of(count));
    if (own.id) return am_cast(b, own, AM_F64);
    double least = (double)am_config_size(c, "min_timescale", 1),
           most = (double)am_config_size(c, "max_timescale", 10000);
    double step = log(most / least) / (count > 1 ? (double)(count - 1) : 1);
    am_value exponents = am_iota(b, AM_F64, am_shape_of(count), 0, 0, -step);
    return am_mul_number(b, am_unary(b, AM_EXP, exponents), least);
}

/* Positions that count from the first patch which is not padding, around the end: [B, N, hidden_size]. */
static am_value positions(am_builder *b, const patches *p, const timesfm *t)
{
    int64_t N = am_dim(b, p->padding, 1);
    am_value angles = am_mul(b, am_iota(b, AM_F64, am_shape_of(N, 1), 0, 0, 1), frequencies(b, t));
    am_value table = am_concat2(b, am_unary(b, AM_SIN, angles), am_unary(b, AM_COS, angles), 1);
    am_value first = first_place(b, am_binary_number(b, AM_EQUAL, p->padding, 0), -1);
    am_value places = am_sub(b, am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1), am_unsqueeze(b, first, 1));
    return am_embedding_op(b, am_cast(b, table, AM_F32), am_binary_number(b, AM_MOD, places, (double)N));
}

/* --- layers --- */

static am_value attention(am_builder *b, am_value x, am_value mask, const timesfm *t)
{
    am_attention_options options = {
        .heads = t->num_attention_heads, .head_dim = t->head_dim, .causal = true, .scale = 1, .mask = mask};
    am_value qkv[3];
    am_scope(b, "self_attn");
    am_attention_heads(b, x, &options, qkv);
    am_value h = am_attend(b, am_timesfm_scale_queries(b, qkv[0]), qkv[1], qkv[2], &options);
    h = am_linear(b, "o_proj", h, t->hidden_size, AM_BIAS);
    am_end_scope(b);
    return h;
}

static am_value mlp(am_builder *b, am_value x, am_value present, const timesfm *t)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "gate_proj", am_layer_norm(b, "layer_norm", x, 1e-6), t->intermediate_size, AM_BIAS,
                             AM_RELU);
    x = am_mul(b, am_linear(b, "down_proj", x, t->hidden_size, AM_BIAS), present);
    am_end_scope(b);
    return x;
}

/* Last hidden state of the patches: [B, N, hidden_size]; freq: I32 [B, 1]. */
static am_value body(am_builder *b, const patches *p, am_value freq, const timesfm *t, const char *prefix)
{
    am_value mask = am_padding_mask_of(b, am_binary_number(b, AM_EQUAL, p->padding, 0));
    am_value present = am_unsqueeze(b, complement(b, p->padding), 2);
    am_scope(b, "%s", prefix);
    am_value x =
        am_timesfm_residual(b, "input_ff_layer", p->tokens, t->intermediate_size, t->hidden_size, AM_SILU, AM_BIAS);
    if (t->use_positional_embedding) x = am_add(b, x, positions(b, p, t));
    x = am_add(b, x, am_embedding(b, "freq_emb", freq, t->freq_size, t->hidden_size));
    for (int i = 0; i < t->num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = am_add(b, x, attention(b, am_rms_norm(b, "input_layernorm", x, t->rms_norm_eps, 0), mask, t));
        x = am_add(b, x, mlp(b, x, present, t));
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)t->num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void timesfm_model(am_builder *b)
{
    timesfm t = read_config(b);
    patches p = cut(b, am_input(b, "past_values", 2), am_input(b, "past_values_padding", 2), &t);
    am_output(b, "last_hidden_state", body(b, &p, am_input(b, "freq", 2), &t, ""));
    am_output(b, "loc", p.loc);
    am_output(b, "scale", p.scale);
}

/* The input freq, one number a series, for each row: I32 [rows, 1]; zeros where it is not given. */
static am_value frequencies_of_rows(am_builder *b, const am_timesfm_context *context)
{
    am_value freq = am_input_optional(b, "freq", -1);
    int64_t rows = am_dim(b, context->values, 0);
    if (!freq.id) return am_iota(b, AM_I32, am_shape_of(rows, 1), 0, 0, 0);
    freq = am_reshape(b, freq, am_shape_of(-1, 1));
    if (context->window > 0) freq = am_broadcast(b, freq, am_shape_of(am_dim(b, freq, 0), 2));
    return am_reshape(b, freq, am_shape_of(rows, 1));
}

/* What patches x: [B, N, hidden_size] say of the horizon after each: [B, N, horizon, Q], the mean first. */
static am_value horizons(am_builder *b, am_value x, const patches *p, int64_t horizon, const timesfm *t)
{
    int64_t Q = am_timesfm_columns(am_model_config(b));
    x = am_timesfm_residual(b, "horizon_ff_layer", x, t->intermediate_size, horizon * Q, AM_SILU, AM_BIAS);
    am_shape s = am_shape_of_value(b, x), each = am_shape_of(s.dims[0], 1, 1, 1);
    x = am_reshape(b, x, am_shape_of(s.dims[0], s.dims[1], horizon, Q));
    return am_add(b, am_mul(b, x, am_reshape(b, p->scale, each)), am_reshape(b, p->loc, each));
}

/* The forecast of the last patch behind those of the context by the others: [B, .., Q]. */
static am_value with_context(am_builder *b, am_value said, int64_t context_length, const timesfm *t)
{
    int64_t horizon = am_dim(b, said, 2), N = am_dim(b, said, 1), each = t->patch_length;
    int64_t whole = context_length - each + horizon;
    if (each > horizon) each = horizon;
    am_value x = am_index(b, said, 1, -1);
    if (N > 1) x = am_concat2(b, am_flatten(b, am_slice(b, am_slice(b, said, 1, 0, N - 1), 2, 0, each), 1, 2), x, 1);
    return am_dim(b, x, 1) > whole ? am_slice(b, x, 1, 0, whole) : x;
}

static void timesfm_for_prediction(am_builder *b)
{
    const am_config *c = am_model_config(b);
    timesfm t = read_config(b);
    int64_t length = am_config_size(c, "context_length", 512), horizon = am_config_size(c, "horizon_length", 128);
    int64_t last = am_model_argument(b, "forecast_context_len", length);
    if (last <= 0) last = length;
    bool shows_context = am_model_argument(b, "return_forecast_on_context", 0) != 0;
    am_timesfm_context context = am_timesfm_context_read(b, last, length);
    am_value values = context.values, padding = context.padding;
    if (last < length) {
        values = am_slice(b, values, 1, -last, AM_SLICE_END);
        padding = am_slice(b, padding, 1, -last, AM_SLICE_END);
    }
    patches p = cut(b, values, padding, &t);
    am_value x = body(b, &p, frequencies_of_rows(b, &context), &t, "decoder");
    am_output(b, "last_hidden_state", x);
    if (!shows_context) x = am_slice(b, x, 1, -1, AM_SLICE_END);
    x = horizons(b, x, &p, horizon, &t);
    x = shows_context ? with_context(b, x, length, &t) : am_index(b, x, 1, 0);
    am_timesfm_output_predictions(b, &context, am_index(b, x, 2, 0), x,
                                  am_model_argument(b, "truncate_negative", 0) != 0);
}

static const am_architecture architectures[] = {
    {"TimesFmModel", timesfm_model, NULL, 0},
    {"TimesFmModelForPrediction", timesfm_for_prediction, NULL, 0},
    {0},
};

const am_model_type am_model_timesfm = {.name = "timesfm", .base_prefix = "decoder", .architectures = architectures};

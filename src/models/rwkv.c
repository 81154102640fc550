/* RWKV (arXiv 2305.13048): averages of values, weighted by keys and faded by time, in place of attention; every layer
   reads a mixture of a token and the one before it. transformers: models/rwkv/modeling_rwkv.py */
#include "models/blocks/state_space.h"

#include <stdio.h>

/* The exponent of a memory that holds nothing. */
static const double NOTHING = -1e30;

/* ln_out does not follow layer_norm_epsilon. */
static const double LAST_EPS = 1e-5;

typedef struct rwkv {
    int64_t hidden_size, attention_size, intermediate_size, layers, rescale_every;
    double eps;
} rwkv;

static rwkv read_options(const am_config *c)
{
    rwkv r = {
        .hidden_size = am_config_size(c, "hidden_size", 4096),
        .layers = am_config_count(c, "num_hidden_layers", 32),
        .rescale_every = am_config_int(c, "rescale_every", 6),
        .eps = am_config_real(c, "layer_norm_epsilon", 1e-5),
    };
    r.attention_size = am_config_size(c, "attention_hidden_size", r.hidden_size);
    r.intermediate_size = am_config_size(c, "intermediate_size", 4 * r.hidden_size);
    return r;
}

/* x: [B, T, C] with each row replaced by the one before it; `first`: [B, 1, C] comes before all. */
static am_value rows_before(am_builder *b, am_value first, am_value x)
{
    int64_t T = am_dim(b, x, 1);
    return T == 1 ? first : am_concat2(b, first, am_slice(b, x, 1, 0, T - 1), 1);
}

static am_value last_row(am_builder *b, am_value x)
{
    return am_slice(b, x, 1, am_dim(b, x, 1) - 1, AM_SLICE_END);
}

/* The state NAME, one row: [B, 1, D], as `like`: [B, T, D]. */
static am_value memory(am_builder *b, const char *name, am_value like)
{
    return am_recurrent_state(b, name, am_shape_of(am_dim(b, like, 0), 1, am_dim(b, like, 2)));
}

/* x moved to the token before it, whose last row is the state "token". */
static am_value token_before(am_builder *b, am_value x)
{
    am_value state = memory(b, "token", x);
    am_value before = rows_before(b, state, x);
    am_recurrent_state_keep(b, state, last_row(b, x));
    return before;
}

/* The linear NAME of x and the token before it, mixed by time_mix_NAME. */
static am_value mixed(am_builder *b, const char *name, am_value x, am_value before, int64_t out)
{
    char mix_name[64];
    snprintf(mix_name, sizeof mix_name, "time_mix_%s", name);
    am_value mix = am_cast(b, am_weight(b, mix_name, am_shape_of(1, 1, am_dim(b, x, -1))), AM_F32);
    x = am_add(b, before, am_mul(b, mix, am_sub(b, x, before)));
    return am_linear(b, name, x, out, AM_NO_BIAS);
}

/* h = fade h + x over time, from a state: [B, 1, D]. Gives h before each step. */
static am_value faded_sum(am_builder *b, am_value state, am_value x, am_value fade)
{
    am_value after, inputs[] = {x, fade, am_squeeze(b, state, 1)};
    am_value h = am_recurrence(b, inputs, 3, &(am_recurrence_attributes){.kind = AM_RECURRENCE_LINEAR}, &after);
    am_recurrent_state_keep(b, state, am_unsqueeze(b, after, 1));
    return rows_before(b, state, h);
}

/* The largest exponent in memory before each step and behind it, and at last: m' = max(m + decay, k), as a running
   maximum of what does not fade. k: [B, T, D]; first: [B, 1, D]. */
static am_value exponents(am_builder *b, am_value first, am_value k, am_value decay)
{
    int64_t T = am_dim(b, k, 1);
    am_value fade = am_mul(b, am_iota(b, AM_F32, am_shape_of(T + 1, 1), 0, 0, 1), decay);
    am_value all = am_concat2(b, first, k, 1);
    return am_add(b, am_scan(b, AM_REDUCE_MAX, am_sub(b, all, fade), 1, false, false), fade);
}

static am_value exp_difference(am_builder *b, am_value x, am_value y)
{
    return am_unary(b, AM_EXP, am_sub(b, x, y));
}

/* Average of values v, weighted by exp(k), faded, with time_first added to the newest key; sums are kept in units of
   exp(largest exponent), whose denominator is zero only where nothing is in memory. k, v: [B, T, D] */
static am_value weighted_average(am_builder *b, am_value k, am_value v)
{
    int64_t T = am_dim(b, k, 1), D = am_dim(b, k, 2);
    am_value decay = am_cast(b, am_weight(b, "time_decay", am_shape_of(D)), AM_F32);
    decay = am_unary(b, AM_NEG, am_unary(b, AM_EXP, decay));
    am_value kept = memory(b, "exponent", k), weighted_sum = memory(b, "numerator", k), sum = memory(b, "sum", k);
    am_value empty = am_binary_number(b, AM_EQUAL, sum, 0);
    am_value m = exponents(b, am_select(b, empty, am_scalar(b, AM_F32, NOTHING), kept), k, decay);
    am_recurrent_state_keep(b, kept, last_row(b, m));
    am_value before = am_slice(b, m, 1, 0, T), behind = am_slice(b, m, 1, 1, T + 1);
    am_value fade = exp_difference(b, am_add(b, before, decay), behind), added = exp_difference(b, k, behind);
    am_value numerator = faded_sum(b, weighted_sum, am_mul(b, added, v), fade),
             denominator = faded_sum(b, sum, added, fade);
    am_value newest = am_add(b, k, am_cast(b, am_weight(b, "time_first", am_shape_of(D)), AM_F32));
    am_value largest = am_binary(b, AM_MAX, before, newest);
    am_value old = exp_difference(b, before, largest), new = exp_difference(b, newest, largest);
    return am_div(b, am_add(b, am_mul(b, old, numerator), am_mul(b, new, v)),
                  am_add(b, am_mul(b, old, denominator), new));
}

static am_value time_mixing(am_builder *b, am_value x, const rwkv *r)
{
    am_value before = token_before(b, x);
    am_value k = mixed(b, "key", x, before, r->attention_size), v = mixed(b, "value", x, before, r->attention_size),
             gate = mixed(b, "receptance", x, before, r->attention_size);
    am_value y = am_gated_activation(b, AM_SIGMOID, gate, weighted_average(b, k, v));
    return am_linear(b, "output", y, r->hidden_size, AM_NO_BIAS);
}

static am_value channel_mixing(am_builder *b, am_value x, const rwkv *r)
{
    am_value before = token_before(b, x);
    am_value k = am_unary(b, AM_SQUARE, am_unary(b, AM_RELU, mixed(b, "key", x, before, r->intermediate_size)));
    am_value gate = mixed(b, "receptance", x, before, r->hidden_size);
    return am_gated_activation(b, AM_SIGMOID, gate, am_linear(b, "value", k, r->hidden_size, AM_NO_BIAS));
}

/* Every rescale_every layers x is halved, and what later layers add is too. */
static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const rwkv *r = context;
    bool rescales = r->rescale_every > 0;
    double scale = 1;
    for (int64_t i = rescales ? index / r->rescale_every : 0; i > 0; i--) scale /= 2;
    if (index == 0) x = am_layer_norm(b, "pre_ln", x, r->eps);
    am_value read = am_layer_norm(b, "ln1", x, r->eps);
    am_scope(b, "attention");
    x = am_add(b, x, am_mul_number(b, time_mixing(b, read, r), scale));
    am_end_scope(b);
    read = am_layer_norm(b, "ln2", x, r->eps);
    am_scope(b, "feed_forward");
    x = am_add(b, x, am_mul_number(b, channel_mixing(b, read, r), scale));
    am_end_scope(b);
    return rescales && (index + 1) % r->rescale_every == 0 ? am_mul_number(b, x, 0.5) : x;
}

static am_value body(am_builder *b, const char *prefix)
{
    rwkv r = read_options(am_model_config(b));
    (void)am_input_optional(b, "attention_mask", 2); /* taken, and not looked at, as in transformers */
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embeddings", r.hidden_size);
    x = am_recurrent_layers(b, "blocks", r.layers, x, layer, &r);
    x = am_causal_final_norm(b, "ln_out", x, LAST_EPS, r.layers);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"RwkvModel", am_causal_model, "feature-extraction", 0},
    {"RwkvForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 50277,
                                        .untied = true,
                                        .prefix = "rwkv",
                                        .embedding = "rwkv.embeddings.weight",
                                        .head = "head"};

const am_model_type am_model_rwkv = {
    .name = "rwkv", .base_prefix = "rwkv", .architectures = architectures, .family = &family};

/* Doge: LLaMA whose attention adds a score to every key that its value decides, and sees no more than the
   keep_window_size best keys of a longer text; what goes round a part is weighted, and the MLP may have thousands of
   small experts beside it. transformers: models/doge/modeling_doge.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

#include <math.h>

/* --- attention --- */

/* exp(A softplus(dt_proj(v))) of each token: v: [B, T, G, D] -> [B, S, G], through the cache. */
static am_value scores_of_values(am_builder *b, am_value v, const am_decoder_options *o)
{
    int64_t G = o->num_key_value_heads;
    am_value dt = am_linear(b, "dt_proj", am_merge_heads(b, v), G, o->qkv_bias ? AM_BIAS : AM_NO_BIAS);
    am_value a = am_cast(b, am_weight(b, "A", am_shape_of(G)), AM_F32);
    return am_cache_append(b, "score", am_unary(b, AM_EXP, am_mul(b, am_unary(b, AM_SOFTPLUS, dt), a)));
}

/* x: [B, G, T or 1, S] for the heads that share a key: [B, H, T or 1, S] */
static am_value for_heads(am_builder *b, am_value x, int64_t heads)
{
    am_shape s = am_shape_of_value(b, x);
    if (am_builder_failed(b)) return AM_NONE;
    am_value each = am_unsqueeze(b, x, 2);
    each = am_broadcast(b, each, am_shape_of(s.dims[0], s.dims[1], heads / s.dims[1], s.dims[2], s.dims[3]));
    return am_reshape(b, each, am_shape_of(s.dims[0], heads, s.dims[2], s.dims[3]));
}

/* Which of S keys the T tokens of this run see: BOOL [1 or B, 1, T, S]. */
static am_value seen_keys(am_builder *b, const am_attention_options *a, int64_t T, int64_t S)
{
    am_value key = am_iota(b, AM_I32, am_shape_of(1, 1, 1, S), 3, 0, 1),
             query = am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1);
    if (am_has_cache(b)) query = am_add(b, query, am_cache_offset(b));
    am_value seen = am_binary(b, AM_LESS_EQUAL, key, query);
    if (a->window)
        seen = am_binary(b, AM_LOGICAL_AND, seen,
                         am_binary(b, AM_GREATER, key, am_add_number(b, query, -(double)a->window)));
    return a->mask.id ? am_binary(b, AM_LOGICAL_AND, seen, a->mask) : seen;
}

/* The `count` best of the scores that are seen: score: [B, G, 1, S], seen: [1 or B, 1, T, S] -> BOOL [B, G, T, S]. */
static am_value best_keys(am_builder *b, am_value score, am_value seen, int64_t count)
{
    am_shape s = am_shape_of_value(b, score);
    am_shape shape = am_shape_of(s.dims[0], s.dims[1], am_dim(b, seen, 2), s.dims[3]), chosen = shape;
    am_value places, none = am_iota(b, AM_I32, shape, 3, 0, 0);
    chosen.dims[3] = count;
    am_top_k(b, am_broadcast(b, am_select(b, seen, score, am_scalar(b, AM_F32, -1)), shape), 3, count, false, &places);
    am_scatter_attributes options = {.axis = 3, .elementwise = true, .fn = AM_SCATTER_SET};
    am_value marked = am_scatter(b, none, places, am_iota(b, AM_I32, chosen, 3, 1, 0), &options);
    return am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_NOT_EQUAL, marked, 0), seen);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    int64_t keep = am_config_size(o->config, "keep_window_size", 2048);
    am_value qkv[3];
    am_attention_heads(b, x, &options, qkv);
    am_value score = am_unsqueeze(b, am_transpose(b, scores_of_values(b, qkv[2], o), 1, 2), 2); /* [B, G, 1, S] */
    int64_t S = am_dim(b, score, 3);
    if (S > keep) {
        am_value seen = seen_keys(b, &options, am_dim(b, x, 1), S);
        options.mask = for_heads(b, best_keys(b, score, seen, keep), o->num_attention_heads);
    }
    options.bias = for_heads(b, score, o->num_attention_heads);
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

/* --- experts --- */

/* Each of experts: I32 [N, K] gives activation(down row . x) times its weight times its up row: x: [N, C] -> [N, C]. */
static am_value small_experts(am_builder *b, am_value x, am_value experts, am_value weights, int64_t count,
                              am_unary_fn activation)
{
    int64_t C = am_dim(b, x, 1);
    am_value down = am_embedding(b, "down_embed", experts, count, C),
             up = am_embedding(b, "up_embed", experts, count, C);
    am_value inner = am_squeeze(b, am_matmul(b, down, am_unsqueeze(b, x, 2), false, false), 2);
    inner = am_mul(b, am_unary(b, activation, inner), weights);
    return am_squeeze(b, am_matmul(b, am_unsqueeze(b, inner, 1), up, false, false), 1);
}

/* Scores of two halves of keys are added up, each expert having a pair of keys. The halves are those of all scores of
   the run, as transformers cuts them, so that what a token is given depends on the others. */
static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    am_value shared = am_decoder_mlp(b, x, layer);
    if (!am_config_flag(c, "is_moe", false)) return shared;
    int64_t count = am_config_size(c, "num_experts", 16384), top_k = am_config_size(c, "num_experts_per_tok", 64);
    int64_t keys = (int64_t)floor(sqrt((double)count));
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_value scores = am_reshape(b, am_linear(b, "router_gate", rows, 2 * keys, AM_NO_BIAS), am_shape_of(2, -1, keys));
    scores = am_add(b, am_unsqueeze(b, am_index(b, scores, 0, 0), 2), am_unsqueeze(b, am_index(b, scores, 0, 1), 1));
    am_value best = am_top_k(b, am_flatten(b, scores, 1, 2), 1, top_k, false, &experts);
    am_value routed = small_experts(b, rows, experts, am_softmax(b, best, 1), count, o->hidden_act);
    return am_add(b, shared, am_reshape(b, routed, am_shape_of_value(b, x)));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = attention;
    o->mlp = mixture;
    o->residual_weights[0] = "input_residual";
    o->residual_weights[1] = "post_attention_residual";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
    if (!o->causal) am_config_unsupported(c, "is_causal", "attention in both directions is not supported");
}

static const am_architecture architectures[] = {
    {"DogeModel", am_decoder_model, "feature-extraction", 0},
    {"DogeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES | AM_READS_AT_ONCE},
    {"DogeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 32768,
                 .hidden_size = 1024,
                 .intermediate_size = 2048,
                 .num_attention_heads = 8,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_doge = {
    .name = "doge", .base_prefix = "model", .architectures = architectures, .family = &family};

/* DeepSeek-V3.2: DeepSeek-V3 whose queries attend the index_topk keys that a small indexer scores best: a weighted sum
   over its heads of relu(q k). transformers: models/deepseek_v32/modeling_deepseek_v32.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

#include <math.h>

typedef struct indexer {
    int64_t heads, head_dim, top_k;
} indexer;

/* Which keys stand no later than each query: BOOL [1, T, S]. */
static am_value causal_mask(am_builder *b, int64_t T, int64_t S)
{
    am_value queries = am_iota(b, AM_I32, am_shape_of(1, T, 1), 1, (double)(am_has_cache(b) ? 0 : S - T), 1);
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, 1, S), 2, 0, 1);
    if (am_has_cache(b)) queries = am_add(b, queries, am_cache_offset(b));
    return am_binary(b, AM_LESS_EQUAL, keys, queries);
}

/* Rotated in halves, whatever the heads of attention do. */
static am_value rotate(am_builder *b, am_value heads, const am_rope *rope)
{
    am_rope halves = *rope;
    halves.interleaved = false;
    return am_rope_apply(b, &halves, heads);
}

/* What each query thinks of each key: [B, T, S]. */
static am_value scores(am_builder *b, am_value x, am_value query, const indexer *o, const am_rope *rope)
{
    am_value q = am_split_heads(b, am_linear(b, "wq_b", query, o->heads * o->head_dim, AM_NO_BIAS), o->heads);
    am_value k = am_layer_norm(b, "k_norm", am_linear(b, "wk", x, o->head_dim, AM_NO_BIAS), 1e-6);
    k = am_cache_append(b, "index_key", rotate(b, am_split_heads(b, k, 1), rope));
    k = am_permute(b, k, am_shape_of(0, 2, 1, 3)); /* [B, 1, S, D] */
    am_value dots = am_matmul(b, rotate(b, q, rope), k, false, true);
    dots = am_unary(b, AM_RELU, am_mul_number(b, dots, 1 / sqrt((double)o->head_dim))); /* [B, T, H, S] */
    am_value weights = am_linear(b, "weights_proj", x, o->heads, AM_NO_BIAS);
    weights = am_unsqueeze(b, am_mul_number(b, weights, 1 / sqrt((double)o->heads)), 2);
    return am_squeeze(b, am_matmul(b, weights, dots, false, false), 2);
}

/* The keys that each query attends: BOOL [B, 1, T, S], or the padding mask alone where all of them fit. */
static am_value choose(am_builder *b, am_value x, am_value query, const indexer *o, const am_attention_options *shared)
{
    am_value best;
    am_scope(b, "indexer");
    am_value s = scores(b, x, query, o, shared->rope);
    am_end_scope(b);
    int64_t B = am_dim(b, s, 0), T = am_dim(b, s, 1), S = am_dim(b, s, 2);
    if (S <= o->top_k) return shared->mask;
    am_value allowed = am_broadcast(b, causal_mask(b, T, S), am_shape_of(B, T, S));
    if (shared->mask.id) allowed = am_binary(b, AM_LOGICAL_AND, allowed, am_squeeze(b, shared->mask, 1));
    s = am_select(b, allowed, s, am_scalar(b, AM_F32, -3e38));
    am_top_k(b, s, -1, o->top_k, false, &best);
    am_scatter_attributes set = {.axis = -1, .elementwise = true, .fn = AM_SCATTER_SET};
    am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of_value(b, best)),
             zeros = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(B, T, S));
    am_value chosen = am_binary_number(b, AM_NOT_EQUAL, am_scatter(b, zeros, best, ones, &set), 0);
    return am_unsqueeze(b, am_binary(b, AM_LOGICAL_AND, chosen, allowed), 1);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    am_decoder_options options = *layer->options;
    am_attention_options sparse = *layer->attention;
    am_latent_attention a = am_latent_attention_read(c, &options, 163840);
    indexer o = {am_config_size(c, "index_n_heads", 64), am_config_size(c, "index_head_dim", 128),
                 am_config_size(c, "index_topk", 2048)};
    am_value query = am_latent_query(b, x, &a);
    sparse.mask = choose(b, x, query, &o, layer->attention);
    return am_latent_attend(b, x, query, &a, &sparse);
}

/* mlp_layer_types, or dense below first_k_dense_replace. */
static bool is_dense(const am_config *c, int layer)
{
    const char *type = am_config_list_text(c, "mlp_layer_types", layer);
    return type ? type[0] == 'd' : layer < am_config_int(c, "first_k_dense_replace", 3);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    if (is_dense(am_model_config(b), layer->index)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture(b, x, layer->options->hidden_act);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_read(c, o, 163840);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "the indexer reads the low-rank query, found none");
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
    if (am_config_has(c, "quantization_config"))
        am_config_fail(c, "quantization_config", "weights in blocks of 8 bits are not supported");
}

static const am_architecture architectures[] = {
    {"DeepseekV32Model", am_decoder_model, "feature-extraction", 0},
    {"DeepseekV32ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 129280,
                 .hidden_size = 7168,
                 .intermediate_size = 18432,
                 .num_hidden_layers = 61,
                 .num_attention_heads = 128,
                 .head_dim = 64,
                 .max_position_embeddings = 163840},
    .adapt = adapt,
};

const am_model_type am_model_deepseek_v32 = {
    .name = "deepseek_v32", .base_prefix = "model", .architectures = architectures, .family = &family};

/* A.X K2: DeepSeek-V3.2 whose norms are gated by a small MLP of what they give, and whose attention has a gate for each
   number, made with the queries. transformers: models/axk2/modeling_axk2.py */
#include "models/blocks/experts.h"
#include "models/blocks/indexer.h"
#include "models/blocks/latent_attention.h"

static const am_latent_defaults defaults = {.q_lora_rank = 384,
                                            .kv_lora_rank = 128,
                                            .nope_dim = 64,
                                            .rope_dim = 32,
                                            .v_dim = 64,
                                            .max_position_embeddings = 131072};

/* mlp_layer_types, or where there are none every moe_layer_freq-th layer from first_k_dense_replace on. */
static bool is_mixture(const am_config *c, int layer)
{
    int64_t dense = am_config_int(c, "first_k_dense_replace", 1), period = am_config_size(c, "moe_layer_freq", 1);
    return am_is_mixture_layer(c, layer, dense) && (am_config_has(c, "mlp_layer_types") || layer % period == 0);
}

/* The norm NAME of x: [B, T, C], times the sigmoid of an MLP of it. */
static am_value gated_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    am_scope(b, "%s", name);
    x = am_rms_norm(b, "norm", x, o->rms_norm_eps, 0);
    int64_t rank = am_config_size(o->config, "gated_norm_rank", 16);
    am_value gate = am_linear_activation(b, "W_down", x, rank, AM_NO_BIAS, AM_SILU);
    gate = am_linear(b, "W_up", gate, o->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return am_gated_activation(b, AM_SIGMOID, gate, x);
}

/* Queries and gates come of the low-rank vector before and after its norm. */
static void make_queries(am_builder *b, am_value x, am_latent_attention *a, am_value *out_normed)
{
    int64_t D = a->nope_dim + a->rope_dim, E = a->v_dim;
    am_value low = am_linear(b, "q_a_proj", x, a->q_lora_rank, a->bias ? AM_BIAS : AM_NO_BIAS);
    *out_normed = am_rms_norm(b, "q_a_layernorm", low, 1e-6, 0);
    am_value both = am_linear(b, "q_b_proj", am_concat2(b, *out_normed, low, -1), a->heads * (D + E), AM_NO_BIAS);
    both = am_split_heads(b, both, a->heads);
    a->query = am_slice(b, both, -1, 0, D);
    a->gate = am_unary(b, AM_SIGMOID, am_slice(b, both, -1, D, D + E));
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_decoder_options options = *layer->options;
    am_attention_options sparse = *layer->attention;
    am_latent_attention a = am_latent_attention_of(c, &options, &defaults);
    am_indexer o = {.heads = am_config_size(c, "index_n_heads", 16),
                    .head_dim = am_config_size(c, "index_head_dim", 128),
                    .top_k = am_config_size(c, "index_topk", 2048)};
    am_value normed;
    x = gated_norm(b, "input_layernorm", x, layer->options);
    am_scope(b, "self_attn");
    make_queries(b, x, &a, &normed);
    sparse.mask = am_index_keys(b, x, normed, &o, layer->attention);
    x = am_latent_attend(b, x, normed, &a, &sparse);
    am_end_scope(b);
    return x;
}

/* The norm before a mixture is gated, that before a dense MLP is not. */
static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 128,
                                              .intermediate_size = 512,
                                              .top_k = 8,
                                              .scale = 2.5};
    const am_decoder_options *o = layer->options;
    const char *norm = "post_attention_layernorm";
    bool mixes = is_mixture(o->config, layer->index);
    x = mixes ? gated_norm(b, norm, x, o) : am_rms_norm(b, norm, x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    x = mixes ? am_deepseek_mixture_of(b, x, o->hidden_act, &fields) : am_decoder_mlp(b, x, layer);
    am_end_scope(b);
    return x;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "the indexer reads the low-rank query, found none");
    o->rotary_interleaved = true;
    o->norms = &none;
    o->attention = attention;
    o->attention_scope = "";
    o->mlp = mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"AXK2Model", am_decoder_model, "feature-extraction", 0},
    {"AXK2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"AXK2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"AXK2ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 163840,
                 .hidden_size = 2048,
                 .intermediate_size = 5120,
                 .num_hidden_layers = 48,
                 .num_key_value_heads = 32,
                 .head_dim = 64,
                 .max_position_embeddings = 131072},
    .adapt = adapt,
};

const am_model_type am_model_axk2 = {
    .name = "axk2", .base_prefix = "model", .architectures = architectures, .family = &family};

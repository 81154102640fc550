/* Hunyuan 4: several streams of hidden states, which each part of a layer reads as a weighted sum and adds its answer
   to; DeepSeek-V3.2's attention with a gate and sinks, whose indexer stands in some layers only; a mixture of experts.
   transformers: models/hy_v4/modeling_hy_v4.py */
#include "models/blocks/experts.h"
#include "models/blocks/heads.h"
#include "models/blocks/hyper_connections.h"
#include "models/blocks/indexer.h"
#include "models/blocks/latent_attention.h"
#include "models/blocks/vision.h"

static const am_latent_defaults defaults = {.q_lora_rank = 1536,
                                            .kv_lora_rank = 512,
                                            .nope_dim = 192,
                                            .rope_dim = 64,
                                            .v_dim = 256,
                                            .max_position_embeddings = 262144};

static const am_config *config_of(const am_decoder_layer *layer)
{
    return layer->options->config;
}

/* --- streams --- */

typedef struct connection {
    am_value read;  /* [B, T, C], what the part reads */
    am_value write; /* [B, T, N], how much of its answer each stream gets */
} connection;

static connection connect(am_builder *b, am_value x, const char *name, const am_config *c)
{
    int64_t N = am_dim(b, x, 2);
    double eps = am_config_real(c, "hc_eps", 1e-6), magnitude = am_config_real(c, "hc_magnitude", 2);
    am_scope(b, "hc_pre.%s", name);
    am_value m = am_stream_mixes(b, x, "hc_fn", 2 * N, c), base = am_parameter(b, "hc_base", am_shape_of(2 * N), m),
             scales = am_parameter(b, "hc_scale", am_shape_of(2), m);
    am_end_scope(b);
    am_value read = am_unary(b, AM_SIGMOID, am_stream_scaled(b, m, scales, 0, base, 0, N)),
             write = am_unary(b, AM_SIGMOID, am_stream_scaled(b, m, scales, 1, base, N, N));
    return (connection){am_weigh_streams(b, x, am_add_number(b, read, eps)),
                        am_add_number(b, am_mul_number(b, write, magnitude), eps)};
}

/* h: [B, T, C] added to the streams x: [B, T, N, C]. */
static am_value add(am_builder *b, am_value x, am_value h, const connection *to)
{
    return am_add(b, am_mul(b, am_unsqueeze(b, to->write, 3), am_unsqueeze(b, h, 2)), x);
}

/* The only norm of the decoder that is not a part's own: one stream of all, normed. */
static am_value last_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    bool within = am_has_weight(b, "hc_head.hc_pre.hc_head_fn"); /* as files of the base model call it */
    static const char *const names[3] = {"hc_head_fn", "hc_head_base", "hc_head_scale"};
    am_scope(b, "%s", within ? "hc_head.hc_pre" : "hc_pre.hc_head");
    x = am_merge_streams(b, x, names, o->config);
    am_end_scope(b);
    return am_rms_norm(b, name, x, o->rms_norm_eps, 0);
}

/* --- parts of a layer --- */

/* indexer_types, or the first layer and each fourth behind it. */
static bool has_indexer(const am_config *c, int layer)
{
    if (!am_config_has(c, "indexer_types")) return layer == 0 || (layer - 1) % 4 == 0;
    bool full = am_config_layer_is(c, "indexer_types", layer, "full", "shared");
    if (!full && layer == 0) am_config_fail(c, "indexer_types", "the first layer has no layer before it");
    return full;
}

static am_value choose_keys(am_builder *b, am_value x, am_value query, const am_decoder_layer *layer,
                            const am_latent_attention *a)
{
    const am_config *c = config_of(layer);
    am_indexer o = {.heads = am_config_size(c, "index_n_heads", 16),
                    .head_dim = am_config_size(c, "index_head_dim", 128),
                    .top_k = am_config_size(c, "index_topk", 2048),
                    .rotates_last = true,
                    .norm_eps = layer->options->rms_norm_eps};
    if (o.head_dim < a->rope_dim)
        am_config_fail(c, "index_head_dim", "expected qk_rope_head_dim or more, found %lld", (long long)o.head_dim);
    if (has_indexer(c, layer->index)) *layer->carried = am_index_keys(b, x, query, &o, layer->attention);
    return *layer->carried;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_decoder_options options = *o;
    am_latent_attention a = am_latent_attention_of(o->config, &options, &defaults);
    am_attention_options sparse = *layer->attention;
    connection hc = connect(b, x, "hc_attn_layer", o->config);
    am_value h = am_rms_norm(b, "input_layernorm", hc.read, o->rms_norm_eps, 0);
    am_scope(b, "self_attn");
    am_value query = am_latent_query(b, h, &a);
    sparse.mask = choose_keys(b, h, query, layer, &a);
    sparse.sinks = am_weight(b, "learnable_sink_param", am_shape_of(a.heads));
    a.gate = am_linear_activation(b, "linear_gate", h, a.heads * a.v_dim, AM_NO_BIAS, AM_SIGMOID);
    a.gate = am_split_heads(b, a.gate, a.heads);
    h = am_latent_attend(b, h, query, &a, &sparse);
    am_end_scope(b);
    return add(b, x, h, &hc);
}

static am_value gated_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation)
{
    am_value gate = am_linear(b, "linear_gate", x, inner, AM_NO_BIAS),
             up = am_linear(b, "up_proj", x, inner, AM_NO_BIAS);
    return am_linear(b, "down_proj", am_gated_activation(b, activation, gate, up), am_dim(b, x, -1), AM_NO_BIAS);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = config_of(layer);
    const char *experts_key = am_config_either(c, "n_routed_experts", "num_local_experts");
    int64_t count = am_config_size(c, experts_key, 256), inner = am_config_size(c, "moe_intermediate_size", 768);
    am_mixture_options options = {
        .experts = {.count = count,
                    .intermediate_size = inner,
                    .activation = AM_SILU,
                    .packed = true,
                    .limit = am_config_real(c, "swiglu_limit", 10)},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8),
                    .groups = am_config_count(c, "n_group", 1),
                    .group_top_k = am_config_count(c, "topk_group", 1),
                    .sigmoid = true,
                    .normalize = am_config_flag(c, "norm_topk_prob", true),
                    .scale = am_config_real(c, "routed_scaling_factor", 2.827)},
        .correction_bias = am_has_weight(b, "gate.e_score_correction_bias") ? "e_score_correction_bias" : NULL};
    if (!(options.experts.limit > 0))
        am_config_unsupported(c, "swiglu_limit", "%g is not supported", options.experts.limit);
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_experts");
    am_value shared = gated_mlp(b, x, inner * am_config_size(c, "n_shared_experts", 1), layer->options->hidden_act);
    am_end_scope(b);
    return am_add(b, routed, shared);
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    connection hc = connect(b, x, "hc_mlp_layer", o->config);
    am_value h = am_rms_norm(b, "post_attention_layernorm", hc.read, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    h = am_is_mixture_layer(o->config, layer->index, 1) ? mixture(b, h, layer)
                                                        : gated_mlp(b, h, o->intermediate_size, o->hidden_act);
    am_end_scope(b);
    return add(b, x, h, &hc);
}

/* --- configuration, classes --- */

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "the indexer reads the low-rank query, found none");
    o->norms = &none; /* the parts norm what they read and add what they were given */
    o->norm = last_norm;
    o->parts_add_residual = true;
    o->attention = attention;
    o->mlp = feed_forward;
    o->attention_scope = o->mlp_scope = "";
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 120832,
                 .hidden_size = 2816,
                 .intermediate_size = 6912,
                 .num_hidden_layers = 34,
                 .num_attention_heads = 32,
                 .num_key_value_heads = 32,
                 .head_dim = 64,
                 .max_position_embeddings = 262144,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true,
                 .pad_token_id = 120002},
    .adapt = adapt,
};

static void hy_v4_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_output(b, "last_hidden_state", am_streams_body(b, &o, "", "embed_tokens"));
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_value x = am_streams_body(b, &o, "model", "embed_tokens");
    am_output(
        b, "logits",
        am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"HYV4Model", hy_v4_model, "feature-extraction", 0},
    {"HYV4ForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_hy_v4 = {
    .name = "hy_v4", .base_prefix = "model", .architectures = architectures, .family = &family};

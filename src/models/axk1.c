/* A.X K1: DeepSeek-V3 with a norm behind each mixture of experts. transformers: models/axk1/modeling_axk1.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_read(options.config, &options, 32768);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

/* mlp_layer_types, or where there are none every moe_layer_freq-th layer from first_k_dense_replace on. */
static bool is_mixture(const am_config *c, int layer)
{
    int64_t dense = am_config_int(c, "first_k_dense_replace", 1), period = am_config_size(c, "moe_layer_freq", 1);
    return am_is_mixture_layer(c, layer, dense) && (am_config_has(c, "mlp_layer_types") || layer % period == 0);
}

/* The norm's weight lies beside the mixture's scope. */
static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 192,
                                              .intermediate_size = 2048,
                                              .top_k = 8,
                                              .groups = 8,
                                              .group_top_k = 4,
                                              .scale = 2.5};
    const am_decoder_options *o = layer->options;
    bool mixes = is_mixture(o->config, layer->index);
    am_scope(b, "mlp");
    x = mixes ? am_deepseek_mixture_of(b, x, o->hidden_act, &fields) : am_decoder_mlp(b, x, layer);
    am_end_scope(b);
    return mixes ? am_rms_norm(b, "post_mlp_layernorm", x, o->rms_norm_eps, 0) : x;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_read(c, o, 32768);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "expected a size, found none");
    o->rotary_interleaved = am_config_flag(c, "rope_interleave", true);
    o->attention = attention;
    o->mlp = mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"AXK1Model", am_decoder_model, "feature-extraction", 0},
    {"AXK1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"AXK1ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"AXK1ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 163840,
                 .hidden_size = 7168,
                 .intermediate_size = 18432,
                 .num_hidden_layers = 61,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 64,
                 .head_dim = 64,
                 .max_position_embeddings = 32768},
    .adapt = adapt,
};

const am_model_type am_model_axk1 = {
    .name = "axk1", .base_prefix = "model", .architectures = architectures, .family = &family};

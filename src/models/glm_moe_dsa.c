/* GLM-5: DeepSeek-V3.2 whose indexer stands in some layers only; the others attend the keys that the one before them
   chose. transformers: models/glm_moe_dsa/modeling_glm_moe_dsa.py */
#include "models/blocks/experts.h"
#include "models/blocks/indexer.h"
#include "models/blocks/latent_attention.h"

static const am_latent_defaults defaults = {.q_lora_rank = 2048,
                                            .kv_lora_rank = 512,
                                            .nope_dim = 192,
                                            .rope_dim = 64,
                                            .v_dim = 256,
                                            .max_position_embeddings = 202752};

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_decoder_options options = *layer->options;
    am_attention_options sparse = *layer->attention;
    am_latent_attention a = am_latent_attention_of(c, &options, &defaults);
    am_indexer o = {.heads = am_config_size(c, "index_n_heads", 32),
                    .head_dim = am_config_size(c, "index_head_dim", 128),
                    .top_k = am_config_size(c, "index_topk", 2048),
                    .interleaved = true};
    am_value query = am_latent_query(b, x, &a);
    bool own = am_layer_has_indexer(c, layer->index);
    if (own) *layer->carried = am_index_keys(b, x, query, &o, layer->attention);
    else if (layer->index == 0) am_config_fail(c, "indexer_types", "the first layer has no layer before it");
    sparse.mask = *layer->carried;
    return am_latent_attend(b, x, query, &a, &sparse);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "n_shared_experts",
                                              .count = 256,
                                              .intermediate_size = 2048,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 2.5};
    const am_config *c = layer->options->config;
    if (!am_is_mixture_layer(c, layer->index, am_config_int(c, "first_k_dense_replace", 3)))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "the indexer reads the low-rank query, found none");
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"GlmMoeDsaModel", am_decoder_model, "feature-extraction", 0},
    {"GlmMoeDsaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 154880,
                 .hidden_size = 6144,
                 .intermediate_size = 12288,
                 .num_hidden_layers = 78,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 64,
                 .head_dim = 64,
                 .max_position_embeddings = 202752,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm_moe_dsa = {
    .name = "glm_moe_dsa", .base_prefix = "model", .architectures = architectures, .family = &family};

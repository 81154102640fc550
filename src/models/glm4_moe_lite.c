/* GLM-4.7 Flash: multi-head latent attention, and after the first layer DeepSeek's mixture of experts. transformers:
   models/glm4_moe_lite/modeling_glm4_moe_lite.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

static const am_latent_defaults defaults = {.q_lora_rank = 768,
                                            .kv_lora_rank = 512,
                                            .nope_dim = 192,
                                            .rope_dim = 64,
                                            .v_dim = 256,
                                            .max_position_embeddings = 202752};

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_of(options.config, &options, &defaults);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 64,
                                              .intermediate_size = 1536,
                                              .top_k = 4,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1.8};
    if (!am_is_mixture_layer(layer->options->config, layer->index, 1)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_of(c, o, &defaults);
    o->rotary_interleaved = am_config_flag(c, "rope_interleave", true);
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"Glm4MoeLiteModel", am_decoder_model, "feature-extraction", 0},
    {"Glm4MoeLiteForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 154880,
                 .hidden_size = 2048,
                 .intermediate_size = 10240,
                 .num_hidden_layers = 47,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 20,
                 .head_dim = 64,
                 .max_position_embeddings = 202752,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm4_moe_lite = {
    .name = "glm4_moe_lite", .base_prefix = "model", .architectures = architectures, .family = &family};

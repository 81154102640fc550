/* Solar Open: LLaMA with DeepSeek's mixture of experts in every layer. transformers:
   models/solar_open/modeling_solar_open.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 128,
                                              .intermediate_size = 1280,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1};
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "attention_bias", false);
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"SolarOpenModel", am_decoder_model, "feature-extraction", 0},
    {"SolarOpenForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 196608,
                 .num_hidden_layers = 48,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000},
    .adapt = adapt,
};

const am_model_type am_model_solar_open = {
    .name = "solar_open", .base_prefix = "model", .architectures = architectures, .family = &family};

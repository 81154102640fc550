/* HunYuan 3: LLaMA with an RMSNorm on each query and key head and, after the first layer, a mixture of experts that
   sigmoid scores and a correction bias choose, beside shared ones. transformers: models/hy_v3/modeling_hy_v3.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "num_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "num_shared_experts",
                                              .count = 192,
                                              .intermediate_size = 1536,
                                              .top_k = 8,
                                              .scale = 2.826,
                                              .scale_key = "router_scaling_factor",
                                              .always_normalized = true,
                                              .ungrouped = true,
                                              .router = "router.gate",
                                              .correction_bias = "expert_bias",
                                              .bias_beside_gate = true,
                                              .shared_scope = "shared_mlp"};
    if (!am_is_mixture_layer(layer->options->config, layer->index, 1)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"HYV3Model", am_decoder_model, "feature-extraction", 0},
    {"HYV3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 120832,
                 .intermediate_size = 13312,
                 .num_hidden_layers = 80,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 11158840,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_hy_v3 = {
    .name = "hy_v3", .base_prefix = "model", .architectures = architectures, .family = &family};

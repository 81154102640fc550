/* AFMoE (Trinity): LLaMA with norms before and after attention and MLP, an RMSNorm on each query and key head, a gate
   on what attention gives, positions in layers with a window only, and after the first layers a mixture of experts
   beside shared ones. transformers: models/afmoe/modeling_afmoe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

#include <math.h>

static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                       .after_attention = "post_attention_layernorm",
                                       .before_mlp = "pre_mlp_layernorm",
                                       .after_mlp = "post_mlp_layernorm"};

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    if (!o->sliding[layer->index]) options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    am_value gate =
        am_linear_activation(b, "gate_proj", x, o->num_attention_heads * o->head_dim, AM_NO_BIAS, AM_SIGMOID);
    x = am_mul(b, am_attend(b, qkv[0], qkv[1], qkv[2], &options), gate);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (layer->index < am_config_count(c, "num_dense_layers", 1)) return am_decoder_mlp(b, x, layer);
    int64_t inner = am_config_size(c, "moe_intermediate_size", 1408);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, "num_experts", 64),
                    .intermediate_size = inner,
                    .activation = o->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 6),
                    .sigmoid = true,
                    .normalize = true,
                    .scale = am_config_real(c, "route_scale", 1)},
        .router = "router.gate",
        .correction_bias = "expert_bias",
        .bias_beside_gate = true,
    };
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_experts");
    am_value shared = am_gated_mlp(b, x, inner * am_config_size(c, "num_shared_experts", 2), o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, shared, routed);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->norms = &norms;
    o->attention = attention;
    o->mlp = mixture;
    o->ignores_packing = true;
    o->sliding_window = am_config_size(c, "sliding_window", 1024);
    am_decoder_read_sliding(c, o, 0, am_config_size(c, "global_attn_every_n_layers", 4));
    if (am_config_flag(c, "mup_enabled", false)) o->embedding_scale = sqrt((double)o->hidden_size);
    o->scales_inputs_embeds = true;
}

static const am_architecture architectures[] = {
    {"AfmoeModel", am_decoder_model, "feature-extraction", 0},
    {"AfmoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 200192,
                 .hidden_size = 2048,
                 .intermediate_size = 6144,
                 .num_attention_heads = 16,
                 .head_dim = 128,
                 .max_position_embeddings = 16384,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_afmoe = {
    .name = "afmoe", .base_prefix = "model", .architectures = architectures, .family = &family};

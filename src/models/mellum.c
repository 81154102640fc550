/* Mellum: Qwen3 MoE with windows before some layers, which have a rotary base of their own. transformers:
   models/mellum/modeling_mellum.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    if (!am_is_mixture_layer(c, layer->index, 0)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "num_experts", "num_local_experts"), 64),
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 896),
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8),
                    .normalize = am_config_flag(c, "norm_topk_prob", true)},
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    int64_t max = o->rope.max_positions;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->mlp = mixture;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 1024);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 500000, 1, max);
    o->sliding_rope = am_rope_config_read(c, "sliding_attention", o->head_dim, 10000, 1, max);
    o->has_sliding_rope = true;
}

static const am_architecture architectures[] = {
    {"MellumModel", am_decoder_model, "feature-extraction", 0},
    {"MellumForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 98304,
                 .hidden_size = 2304,
                 .intermediate_size = 7168,
                 .num_hidden_layers = 28,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 131072},
    .adapt = adapt,
};

const am_model_type am_model_mellum = {
    .name = "mellum", .base_prefix = "model", .architectures = architectures, .family = &family};

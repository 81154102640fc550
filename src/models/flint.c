/* Flint: LLaMA with attention sinks and an RMSNorm on each query and key head, positions in layers with a window only,
   and after the first layers a mixture of experts beside one that every token sees. transformers:
   models/flint/modeling_flint.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (!layer->options->sliding[layer->index]) options.rope = NULL;
    options.sinks = am_weight(b, am_has_weight(b, "sinks") ? "sinks" : "softmax_offset",
                              am_shape_of(layer->options->num_attention_heads));
    return am_self_attention(b, x, &options);
}

static bool is_mixture(const am_config *c, int layer)
{
    if (am_config_count(c, "num_experts", 256) == 0) return false;
    bool dense = !am_config_has(c, "mlp_only_layers") && layer < 2;
    return !dense && am_is_sparse_layer(c, layer);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (!is_mixture(c, layer->index)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, "num_experts", 256),
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 512),
                    .activation = o->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 6),
                    .sigmoid = true,
                    .normalize = am_config_flag(c, "norm_topk_prob", true)},
    };
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_expert");
    int64_t inner = am_config_size(c, "shared_expert_intermediate_size", 1024);
    am_value shared = am_gated_mlp(b, x, inner, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, routed, shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = attention;
    o->mlp = mixture;
    o->sliding_window = am_config_size(c, "sliding_window", 513);
    am_decoder_read_sliding(c, o, 2, 0);
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT && !am_config_has(c, "layer_types"); i++)
        o->sliding[i] = i >= 2 && i % 4 != 1 && i != o->num_hidden_layers - 1;
}

static const am_architecture architectures[] = {
    {"FlintModel", am_decoder_model, "feature-extraction", 0},
    {"FlintForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 150144,
                 .hidden_size = 2048,
                 .intermediate_size = 6144,
                 .num_hidden_layers = 49,
                 .num_attention_heads = 32,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 262144,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_flint = {
    .name = "flint", .base_prefix = "model", .architectures = architectures, .family = &family};

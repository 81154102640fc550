#include "models/blocks/qwen_omni.h"

#include "models/blocks/experts.h"

void am_qwen2_5_omni_adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {16, 24, 24};
    o->qkv_bias = true;
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
    if (!am_config_flag(c, "use_sliding_window", false)) return;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 32768);
    am_decoder_read_sliding(c, o, am_config_int(c, "max_window_layers", 28), 0);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    const am_qwen3_omni_experts *e = layer->options->context;
    int64_t count = am_config_count(c, am_config_either(c, "num_experts", "num_local_experts"), e->count);
    if (!e->has_shared && (count == 0 || !am_is_sparse_layer(c, layer->index))) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = count,
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", e->intermediate_size),
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", e->top_k),
                    .normalize = am_config_flag(c, "norm_topk_prob", e->normalizes)},
    };
    am_value routed = am_mixture(b, x, &options);
    if (!e->has_shared) return routed;
    int64_t shared = am_config_size(c, "shared_expert_intermediate_size", e->intermediate_size);
    return am_add(b, routed, am_shared_expert(b, x, shared, layer->options->hidden_act));
}

void am_qwen3_omni_adapt(const am_config *c, am_decoder_options *o, const am_qwen3_omni_experts *experts)
{
    static const int64_t sections[3] = {24, 20, 20};
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->mlp = mixture;
    o->context = experts;
}

/* dots.llm1: LLaMA with an RMSNorm on each query and key head and, after the first layers, DeepSeek's mixture of
   experts. transformers: models/dots1/modeling_dots1.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 1,
                                              .intermediate_size = 1408,
                                              .top_k = 1,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1,
                                              .not_normalized = true};
    if (layer->index < am_config_int(layer->options->config, "first_k_dense_replace", 0))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->mlp = mixture;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (o->sliding_window) am_decoder_read_sliding(c, o, am_config_count(c, "max_window_layers", 62), 0);
}

static const am_architecture architectures[] = {
    {"Dots1Model", am_decoder_model, "feature-extraction", 0},
    {"Dots1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 152064,
                 .hidden_size = 4608,
                 .intermediate_size = 10944,
                 .num_hidden_layers = 62,
                 .num_key_value_heads = 32,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_dots1 = {
    .name = "dots1", .base_prefix = "model", .architectures = architectures, .family = &family};

/* OLMoE: LLaMA with a mixture of experts in place of the MLP, an RMSNorm over all query and all key heads together, and
   queries, keys and values that may be kept within bounds. transformers: models/olmoe/modeling_olmoe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "num_experts", "num_local_experts"), 64),
                    .intermediate_size = layer->options->intermediate_size,
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8),
                    .normalize = am_config_flag(c, "norm_topk_prob", false)},
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_ALL;
    o->attention = am_decoder_clipped_attention;
    o->mlp = mixture;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = o->sliding_window != 0;
}

static const am_architecture architectures[] = {
    {"OlmoeModel", am_decoder_model, "feature-extraction", 0},
    {"OlmoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304,
                 .hidden_size = 2048,
                 .intermediate_size = 2048,
                 .num_hidden_layers = 16,
                 .num_attention_heads = 16,
                 .max_position_embeddings = 4096,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_olmoe = {
    .name = "olmoe", .base_prefix = "model", .architectures = architectures, .family = &family};

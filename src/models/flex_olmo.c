/* FlexOlmo: OLMo 2 with OLMoE's mixture of experts in every layer. transformers:
   models/flex_olmo/modeling_flex_olmo.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static const am_decoder_norms norms = {.after_attention = "post_attention_layernorm",
                                       .after_mlp = "post_feedforward_layernorm"};

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "num_experts", "num_local_experts"), 7),
                    .intermediate_size = layer->options->intermediate_size,
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 5),
                    .normalize = am_config_flag(c, "norm_topk_prob", false)},
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norms = &norms;
    o->qk_norm = AM_QK_NORM_ALL;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"FlexOlmoModel", am_decoder_model, "feature-extraction", 0},
    {"FlexOlmoForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 100352,
                 .max_position_embeddings = 4096,
                 .rope_theta = 500000,
                 .has_pad_token = true,
                 .pad_token_id = 100277},
    .adapt = adapt,
};

const am_model_type am_model_flex_olmo = {
    .name = "flex_olmo", .base_prefix = "model", .architectures = architectures, .family = &family};

/* DeepSeek-V2 (arXiv 2405.04434): multi-head latent attention, and experts chosen by softmax scores, perhaps within the
   best groups, beside shared experts that answer always. transformers: models/deepseek_v2/modeling_deepseek_v2.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_read(options.config, &options, 2048);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

/* A group is worth its best expert. */
static am_expert_routing_attributes read_routing(const am_config *c)
{
    am_expert_routing_attributes r = {.top_k = am_config_size(c, "num_experts_per_tok", 1),
                                      .scale = am_config_real(c, "routed_scaling_factor", 1)};
    if (am_config_is(c, "topk_method", "group_limited_greedy")) {
        r.groups = am_config_size(c, "n_group", 1);
        r.group_top_k = am_config_size(c, "topk_group", 1);
        r.group_best = 1;
    } else if (am_config_has(c, "topk_method") && !am_config_is(c, "topk_method", "greedy")) {
        am_config_unsupported(c, "topk_method", "expected \"greedy\" or \"group_limited_greedy\"");
    }
    return r;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    if (layer->index < am_config_int(c, "first_k_dense_replace", 0)) return am_decoder_mlp(b, x, layer);
    int64_t inner = am_config_size(c, "moe_intermediate_size", 1407);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "n_routed_experts", "num_experts"), 64),
                    .intermediate_size = inner,
                    .activation = layer->options->hidden_act},
        .routing = read_routing(c),
    };
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_experts");
    inner *= am_config_size(c, "n_shared_experts", 2);
    am_value always = am_gated_mlp(b, x, inner, layer->options->hidden_act, layer->options->mlp_bias);
    am_end_scope(b);
    return am_add(b, routed, always);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_read(c, o, 2048);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"DeepseekV2Model", am_decoder_model, "feature-extraction", 0},
    {"DeepseekV2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"DeepseekV2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 102400, .head_dim = 64},
    .adapt = adapt,
};

const am_model_type am_model_deepseek_v2 = {
    .name = "deepseek_v2", .base_prefix = "model", .architectures = architectures, .family = &family};

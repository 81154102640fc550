/* Jamba (arXiv 2403.19887): Mamba layers, every eighth of attention without positions, every second with a mixture of
   experts. transformers: models/jamba/modeling_jamba.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/state_space.h"

/* Whether a layer is one of those from `offset` on at each `period`. */
static bool is_periodic(const am_config *c, int layer, const char *period, int64_t period_default, const char *offset,
                        int64_t offset_default)
{
    return layer % am_config_size(c, period, period_default) == am_config_count(c, offset, offset_default);
}

static am_mamba_options mamba_options(const am_config *c, const am_decoder_options *o)
{
    return (am_mamba_options){
        .intermediate_size = am_config_size(c, "mamba_expand", 2) * o->hidden_size,
        .state_size = am_config_size(c, "mamba_d_state", 16),
        .conv_kernel = am_config_size(c, "mamba_d_conv", 4),
        .time_step_rank = am_time_step_rank(c, "mamba_dt_rank", o->hidden_size),
        .bias = am_config_flag(c, "mamba_proj_bias", false),
        .conv_bias = am_config_flag(c, "mamba_conv_bias", true),
        .activation = o->hidden_act,
        .inner_norms = true,
        .inner_norm_weights = true,
        .inner_norm_eps = o->rms_norm_eps,
    };
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_attention_options attention = *layer->attention;
    attention.rope = NULL;
    am_mamba_options mamba = mamba_options(c, layer->options);
    bool attends = is_periodic(c, layer->index, "attn_layer_period", 8, "attn_layer_offset", 4);
    am_scope(b, "%s", attends ? "self_attn" : "mamba");
    x = attends ? am_self_attention(b, x, &attention) : am_mamba_mixer(b, x, &mamba);
    am_end_scope(b);
    return x;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    int64_t experts = am_config_size(c, am_config_either(c, "num_experts", "num_local_experts"), 16);
    bool mixes = is_periodic(c, layer->index, "expert_layer_period", 2, "expert_layer_offset", 1);
    if (experts == 1 || !mixes) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = experts,
                    .intermediate_size = layer->options->intermediate_size,
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 2)},
        .router = "router",
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "input_layernorm", .before_mlp = "pre_ff_layernorm"};
    (void)c;
    o->norms = &norms;
    o->final_norm = "final_layernorm";
    o->qkv_bias = o->out_bias = o->mlp_bias = false;
    o->attention = mixer;
    o->attention_scope = "";
    o->mlp = mixture;
    o->mlp_scope = "feed_forward";
}

static const am_architecture architectures[] = {
    {"JambaModel", am_decoder_model, "feature-extraction", 0},
    {"JambaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"JambaForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 65536,
                 .intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 262144,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_jamba = {
    .name = "jamba", .base_prefix = "model", .architectures = architectures, .family = &family};

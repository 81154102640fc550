/* Mamba 2 (arXiv 2405.21060): state spaces with heads that share a time step. transformers:
   models/mamba2/modeling_mamba2.py */
#include "models/blocks/state_space.h"

static am_mamba2_options read_options(const am_config *c)
{
    am_mamba2_options o = {
        .heads = am_config_size(c, "num_heads", 128),
        .head_dim = am_config_size(c, "head_dim", 64),
        .state_size = am_config_size(c, "state_size", 128),
        .groups = am_config_size(c, "n_groups", 8),
        .conv_kernel = am_config_size(c, "conv_kernel", 4),
        .bias = am_config_flag(c, "use_bias", false),
        .out_bias = am_config_flag(c, "use_bias", false),
        .conv_bias = am_config_flag(c, "use_conv_bias", true),
        .activation = am_config_activation(c, "hidden_act", AM_SILU),
        .norm_eps = am_config_real(c, "layer_norm_epsilon", 1e-5),
    };
    am_read_time_step_limit(c, &o);
    o.norm_groups = o.groups;
    am_config_check_divides(c, "n_groups", o.groups, "num_heads", o.heads);
    return o;
}

static am_value mixer(am_builder *b, am_value x, const void *options)
{
    return am_mamba2_mixer(b, x, options);
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    am_mamba2_options options = read_options(c);
    return am_state_space_body(b, prefix, am_config_size(c, "hidden_size", 4096),
                               am_config_count(c, "num_hidden_layers", 64), mixer, &options);
}

static const am_architecture architectures[] = {
    {"Mamba2Model", am_causal_model, "feature-extraction", 0},
    {"Mamba2ForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 32768, .untied = true, .prefix = "backbone", .embedding = "backbone.embeddings.weight"};

const am_model_type am_model_mamba2 = {
    .name = "mamba2", .base_prefix = "backbone", .architectures = architectures, .family = &family};

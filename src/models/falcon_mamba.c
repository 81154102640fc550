/* Falcon Mamba (arXiv 2410.05355): Mamba with norms of time step, B and C. transformers:
   models/falcon_mamba/modeling_falcon_mamba.py */
#include "models/blocks/state_space.h"

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_mamba_options options = am_mamba_options_read(c, C);
    options.inner_norms = true;
    options.inner_norm_eps = am_config_real(c, "mixer_rms_eps", 1e-6);
    return am_mamba_body(b, prefix, &options, C);
}

static const am_architecture architectures[] = {
    {"FalconMambaModel", am_causal_model, "feature-extraction", 0},
    {"FalconMambaForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 50280, .prefix = "backbone", .embedding = "backbone.embeddings.weight"};

const am_model_type am_model_falcon_mamba = {
    .name = "falcon_mamba", .base_prefix = "backbone", .architectures = architectures, .family = &family};

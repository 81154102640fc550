/* Granite MoE Hybrid (Granite 4): Granite whose layers are mostly Mamba 2, with a mixture of experts beside a gated MLP
   that all tokens go through, or that alone. transformers: models/granitemoehybrid/modeling_granitemoehybrid.py */
#include "models/blocks/bamba.h"
#include "models/blocks/granite.h"

#include <string.h>

/* layer_types; all layers are Mamba where there are none. */
static bool is_attention(const am_config *c, int layer)
{
    const char *key = am_config_either(c, "layer_types", "layers_block_type"),
               *type = am_config_list_text(c, key, layer);
    if (!am_config_has(c, key)) return false;
    bool attends = type && (strcmp(type, "full_attention") == 0 || strcmp(type, "attention") == 0);
    if (!attends && (!type || (strcmp(type, "linear_attention") != 0 && strcmp(type, "mamba") != 0)))
        am_config_fail(c, key, "type \"%s\" of layer %d is not supported", type ? type : "(none)", layer);
    return attends;
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_attention_options options = *layer->attention;
    if (!am_config_is(c, "position_embedding_type", "rope")) options.rope = NULL;
    bool attends = is_attention(c, layer->index);
    am_scope(b, "%s", attends ? "self_attn" : "mamba");
    x = attends ? am_self_attention(b, x, &options) : am_bamba_mixer(b, x, layer);
    am_end_scope(b);
    return x;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value always = am_granite_shared_mlp(b, x, am_config_size(o->config, "shared_intermediate_size", 1024), o);
    if (am_config_count(o->config, "num_local_experts", 8) == 0) return always;
    return am_add(b, am_granite_mixture(b, x, layer), always);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->ignores_packing = true;
    o->attention = mixer;
    o->attention_scope = "";
    o->mlp = mixture;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"GraniteMoeHybridModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteMoeHybridForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_granitemoehybrid = {
    .name = "granitemoehybrid", .base_prefix = "model", .architectures = architectures, .family = &family};

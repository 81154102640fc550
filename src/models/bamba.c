/* Bamba: layers of Mamba 2, some of attention whose heads are rotated by half, each with a gated MLP. transformers:
   models/bamba/modeling_bamba.py */
#include "models/blocks/bamba.h"

/* Whether attn_layer_indices lists the layer. */
static bool is_attention(const am_config *c, int layer)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "attn_layer_indices")); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return true;
    return false;
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool attends = is_attention(layer->options->config, layer->index);
    am_scope(b, "%s", attends ? "self_attn" : "mamba");
    x = attends ? am_self_attention(b, x, layer->attention) : am_bamba_mixer(b, x, layer);
    am_end_scope(b);
    return x;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "input_layernorm", .before_mlp = "pre_ff_layernorm"};
    o->norms = &norms;
    o->final_norm = "final_layernorm";
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->attention = mixer;
    o->attention_scope = "";
    o->mlp_scope = "feed_forward";
}

static const am_architecture architectures[] = {
    {"BambaModel", am_decoder_model, "feature-extraction", 0},
    {"BambaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128000,
                 .intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 262144,
                 .partial_rotary_factor = 0.5,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_bamba = {
    .name = "bamba", .base_prefix = "model", .architectures = architectures, .family = &family};

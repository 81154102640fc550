/* Jais 2: LLaMA with LayerNorm, biases, and an MLP of two projections that squares what relu leaves. transformers:
   models/jais2/modeling_jais2.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->norm = am_decoder_layer_norm;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", true);
    o->mlp_bias = am_config_flag(c, "mlp_bias", true);
    o->mlp = am_decoder_plain_mlp;
}

static const am_architecture architectures[] = {
    {"Jais2Model", am_decoder_model, "feature-extraction", 0},
    {"Jais2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 150272,
                 .hidden_size = 3328,
                 .intermediate_size = 26624,
                 .num_attention_heads = 26,
                 .max_position_embeddings = 8192,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_jais2 = {
    .name = "jais2", .base_prefix = "model", .architectures = architectures, .family = &family};

/* Phi: attention and MLP read the same LayerNorm and are added together; biases everywhere, the first half of each head
   rotated, a plain MLP; perhaps a LayerNorm on each query and key head. transformers: models/phi/modeling_phi.py */
#include "models/blocks/decoder.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value heads[3];
    bool normed = am_config_flag(am_model_config(b), "qk_layernorm", false);
    if (normed) options.rope = NULL;
    am_attention_heads(b, x, &options, heads);
    if (normed) {
        heads[0] = am_rope_apply(b, layer->attention->rope, am_layer_norm(b, "q_layernorm", heads[0], o->rms_norm_eps));
        heads[1] = am_rope_apply(b, layer->attention->rope, am_layer_norm(b, "k_layernorm", heads[1], o->rms_norm_eps));
    }
    x = am_attend(b, heads[0], heads[1], heads[2], &options);
    return am_linear(b, "dense", x, o->hidden_size, AM_BIAS);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    x = am_linear_activation(b, "fc1", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_linear(b, "fc2", x, o->hidden_size, AM_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->qkv_bias = o->head_bias = true;
    o->parallel = true;
    o->norm = am_decoder_layer_norm;
    o->final_norm = "final_layernorm";
    o->attention = attention;
    o->mlp = mlp;
}

static const am_architecture architectures[] = {
    {"PhiModel", am_decoder_model, "feature-extraction", 0},
    {"PhiForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"PhiForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"PhiForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 51200,
                 .hidden_size = 2048,
                 .intermediate_size = 8192,
                 .num_hidden_layers = 24,
                 .partial_rotary_factor = 0.5},
    .adapt = adapt,
};

const am_model_type am_model_phi = {
    .name = "phi", .base_prefix = "model", .architectures = architectures, .family = &family};

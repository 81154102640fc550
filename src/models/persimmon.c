/* Persimmon: LayerNorm and biases; queries, keys and values fused by head, the first two normed; half of each head
   rotated; an MLP of two projections that squares what relu leaves. transformers:
   models/persimmon/modeling_persimmon.py */
#include "models/blocks/decoder.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value qkv[3];
    am_split_fused(b, am_linear(b, "query_key_value", x, 3 * o->hidden_size, AM_BIAS), o->num_attention_heads, true,
                   qkv);
    if (am_config_flag(o->config, "qk_layernorm", true)) {
        qkv[0] = am_layer_norm(b, "q_layernorm", qkv[0], o->rms_norm_eps);
        qkv[1] = am_layer_norm(b, "k_layernorm", qkv[1], o->rms_norm_eps);
    }
    x = am_attend(b, am_rope_apply(b, layer->attention->rope, qkv[0]), am_rope_apply(b, layer->attention->rope, qkv[1]),
                  qkv[2], layer->attention);
    return am_linear(b, "dense", x, o->hidden_size, AM_BIAS);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    x = am_linear_activation(b, "dense_h_to_4h", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_linear(b, "dense_4h_to_h", x, o->hidden_size, AM_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->norm = am_decoder_layer_norm;
    o->final_norm = "final_layernorm";
    o->attention = attention;
    o->mlp = mlp;
}

static const am_architecture architectures[] = {
    {"PersimmonModel", am_decoder_model, "feature-extraction", 0},
    {"PersimmonForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"PersimmonForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"PersimmonForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 262144,
                 .intermediate_size = 16384,
                 .num_hidden_layers = 36,
                 .num_attention_heads = 64,
                 .max_position_embeddings = 16384,
                 .partial_rotary_factor = 0.5},
    .adapt = adapt,
};

const am_model_type am_model_persimmon = {
    .name = "persimmon", .base_prefix = "model", .architectures = architectures, .family = &family};

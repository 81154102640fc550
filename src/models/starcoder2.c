/* StarCoder2: LLaMA's attention with LayerNorm, biases and an MLP of two projections; it may look through a window.
   transformers: models/starcoder2/modeling_starcoder2.py */
#include "models/blocks/decoder.h"

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->mlp_bias ? AM_BIAS : AM_NO_BIAS;
    x = am_linear_activation(b, "c_fc", x, o->intermediate_size, bias, o->hidden_act);
    return am_linear(b, "c_proj", x, o->hidden_size, bias);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    o->rms_norm_eps = am_config_real(c, "norm_epsilon", 1e-5);
    o->norm = am_decoder_layer_norm;
    o->qkv_bias = o->out_bias = o->mlp_bias = am_config_flag(c, "use_bias", true);
    o->mlp = mlp;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = o->sliding_window != 0;
}

static const am_architecture architectures[] = {
    {"Starcoder2Model", am_decoder_model, "feature-extraction", 0},
    {"Starcoder2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Starcoder2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Starcoder2ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 49152,
                 .hidden_size = 3072,
                 .intermediate_size = 12288,
                 .num_hidden_layers = 30,
                 .num_attention_heads = 24,
                 .num_key_value_heads = 2,
                 .max_position_embeddings = 4096,
                 .whole_heads = true,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_starcoder2 = {
    .name = "starcoder2", .base_prefix = "model", .architectures = architectures, .family = &family};

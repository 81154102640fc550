/* BitNet b1.58: LLaMA with an RMSNorm before the output projection of attention and before that of the MLP.
   transformers: models/bitnet/modeling_bitnet.py */
#include "models/blocks/decoder.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    options.out = "";
    x = am_rms_norm(b, "attn_sub_norm", am_self_attention(b, x, &options), o->rms_norm_eps, 0);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value gate = am_linear(b, "gate_proj", x, o->intermediate_size, AM_NO_BIAS),
             up = am_linear(b, "up_proj", x, o->intermediate_size, AM_NO_BIAS);
    x = am_rms_norm(b, "ffn_sub_norm", am_gated_activation(b, o->hidden_act, gate, up), o->rms_norm_eps, 0);
    return am_linear(b, "down_proj", x, o->hidden_size, AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->attention = attention;
    o->mlp = mlp;
    if (am_config_has(c, "quantization_config"))
        am_config_fail(c, "quantization_config", "packed ternary weights are not supported");
}

static const am_architecture architectures[] = {
    {"BitNetModel", am_decoder_model, "feature-extraction", 0},
    {"BitNetForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 2560,
                 .intermediate_size = 6912,
                 .num_hidden_layers = 30,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 5,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_bitnet = {
    .name = "bitnet", .base_prefix = "model", .architectures = architectures, .family = &family};

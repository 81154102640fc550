/* nanochat: LLaMA with RMSNorms that have no weights, one of them before the first layer; heads are rotated the other
   way round and then normed; the MLP has no gate. transformers: models/nanochat/modeling_nanochat.py */
#include "models/blocks/decoder.h"

static am_value bare_norm(am_builder *b, am_value x, double eps)
{
    const am_norm_attributes options = {.kind = AM_NORM_RMS, .eps = eps};
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options);
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    (void)name;
    return bare_norm(b, x, o->rms_norm_eps);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_rope rope = *options.rope;
    am_value qkv[3];
    rope.sin = am_unary(b, AM_NEG, rope.sin);
    options.rope = &rope;
    am_attention_heads(b, x, &options, qkv);
    for (int i = 0; i < 2; i++) qkv[i] = bare_norm(b, qkv[i], o->rms_norm_eps);
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    x = am_linear_activation(b, "fc1", x, o->intermediate_size, AM_NO_BIAS, o->hidden_act);
    return am_linear(b, "fc2", x, o->hidden_size, AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 15);
    o->norm = norm;
    o->embedding_norm = "norm";
    o->attention = attention;
    o->mlp = mlp;
}

static const am_architecture architectures[] = {
    {"NanoChatModel", am_decoder_model, "feature-extraction", 0},
    {"NanoChatForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304,
                 .hidden_size = 768,
                 .intermediate_size = 8192,
                 .num_hidden_layers = 12,
                 .num_attention_heads = 6,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_nanochat = {
    .name = "nanochat", .base_prefix = "model", .architectures = architectures, .family = &family};

/* Apertus: LLaMA with an RMSNorm on each query and key head and an MLP without a gate, whose activation xIELU (arXiv
   2411.13010) has learned curvatures. transformers: models/apertus/modeling_apertus.py */
#include "models/blocks/decoder.h"

static const am_decoder_norms norms = {.before_attention = "attention_layernorm",
                                       .before_mlp = "feedforward_layernorm"};

/* A number of the activation, or what it begins with where the file has none. */
static am_value number(am_builder *b, const char *name, double fallback)
{
    am_value stored = am_weight_optional(b, name, (am_shape){0});
    return stored.id ? am_cast(b, stored, AM_F32) : am_scalar(b, AM_F32, fallback);
}

static am_value curvature(am_builder *b, const char *name)
{
    return am_unary(b, AM_SOFTPLUS, am_cast(b, am_weight(b, name, am_shape_of(1)), AM_F32));
}

/* p x^2 + beta x above zero, n (exp(min(x, eps)) - 1 - x) + beta x below; names below the scope */
static am_value xielu(am_builder *b, am_value x)
{
    am_value beta = number(b, "beta", 0.5), eps = number(b, "eps", -1e-6);
    am_value n = am_add(b, curvature(b, "alpha_n"), beta), p = curvature(b, "alpha_p");
    am_value above = am_mul(b, am_unary(b, AM_SQUARE, x), p);
    am_value below = am_mul(b, am_sub(b, am_unary(b, AM_EXPM1, am_binary(b, AM_MIN, x, eps)), x), n);
    return am_add(b, am_select(b, am_binary_number(b, AM_GREATER, x, 0), above, below), am_mul(b, x, beta));
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    if (am_config_has(o->config, "hidden_act") && !am_config_is(o->config, "hidden_act", "xielu"))
        return am_decoder_plain_mlp(b, x, layer);
    x = am_linear(b, "up_proj", x, o->intermediate_size, AM_NO_BIAS);
    am_scope(b, "act_fn");
    x = xielu(b, x);
    am_end_scope(b);
    return am_linear(b, "down_proj", x, o->hidden_size, AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_rope_llama3 scaling = {
        .factor = 8, .low_freq_factor = 1, .high_freq_factor = 4, .original_positions = 8192};
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->norms = &norms;
    o->mlp = mlp;
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_scaling"))
        o->rope = am_rope_config_llama3(c, o->head_dim, 12000000, &scaling, o->rope.max_positions);
}

static const am_architecture architectures[] = {
    {"ApertusModel", am_decoder_model, "feature-extraction", 0},
    {"ApertusForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"ApertusForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 131072,
                 .intermediate_size = 14336,
                 .max_position_embeddings = 65536,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 12000000,
                 .own_activation = "xielu",
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 3},
    .adapt = adapt,
};

const am_model_type am_model_apertus = {
    .name = "apertus", .base_prefix = "model", .architectures = architectures, .family = &family};

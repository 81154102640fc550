/* OLMo Hybrid: layers of gated delta nets, normed before their parts, to every fourth of attention as in OLMo 2, normed
   after its parts. transformers: models/olmo_hybrid/modeling_olmo_hybrid.py */
#include "models/blocks/delta_net.h"
#include "models/blocks/recurrent.h"

/* The norm in the delta net does not follow rms_norm_eps. */
static const double NET_EPS = 1e-5;

/* layer_types, or where there are none each but the fourth layer, the last one being of attention at least. */
static bool is_linear(const am_config *c, int layer, int64_t layers)
{
    if (!am_config_has(c, "layer_types")) return layer % 4 != 3 && !(layers < 4 && layer == layers - 1);
    return am_config_layer_is(c, "layer_types", layer, "linear_attention", "full_attention");
}

static am_delta_net read_net(const am_config *c, const am_decoder_options *o)
{
    am_delta_net n = {.key_heads = am_config_size(c, "linear_num_key_heads", o->num_attention_heads),
                      .value_heads = am_config_size(c, "linear_num_value_heads", o->num_attention_heads),
                      .kernel = am_config_size(c, "linear_conv_kernel_dim", 4)};
    int64_t width = (int64_t)(0.75 * (double)o->hidden_size / (double)n.key_heads);
    n.key_dim = am_config_size(c, "linear_key_head_dim", width);
    n.value_dim = am_config_size(c, "linear_value_head_dim", 2 * n.key_dim);
    am_config_check_divides(c, "linear_num_key_heads", n.key_heads, "linear_num_value_heads", n.value_heads);
    return n;
}

static am_value delta_net(am_builder *b, am_value x, const am_decoder_options *o)
{
    am_delta_net n = read_net(o->config, o);
    x = am_mask_padding_states(b, x);
    am_value mixed = am_delta_convolutions(b, x, &n, o->hidden_act);
    am_value beta = am_linear_activation(b, "b_proj", x, n.value_heads, AM_NO_BIAS, AM_SIGMOID);
    if (am_config_flag(o->config, "linear_allow_neg_eigval", true)) beta = am_mul_number(b, beta, 2);
    am_value decay = am_delta_decay(b, am_linear(b, "a_proj", x, n.value_heads, AM_NO_BIAS), &n);
    am_value gate = am_linear(b, "g_proj", x, n.value_heads * n.value_dim, AM_NO_BIAS);
    am_value y = am_rms_norm(b, "o_norm", am_delta_recurrence(b, mixed, decay, beta, &n), NET_EPS, 0);
    y = am_gated_activation(b, AM_SILU, gate, am_merge_heads(b, y));
    return am_linear(b, "o_proj", y, o->hidden_size, AM_NO_BIAS);
}

/* The mixer with its norm: before a delta net, after attention. */
static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    bool linear = is_linear(o->config, layer->index, o->num_hidden_layers);
    if (linear) x = am_rms_norm(b, "attention_layer_norm", x, o->rms_norm_eps, 0);
    am_scope(b, "%s", linear ? "linear_attn" : "self_attn");
    x = linear ? delta_net(b, x, o) : am_self_attention(b, x, layer->attention);
    am_end_scope(b);
    return linear ? x : am_rms_norm(b, "feedforward_layer_norm", x, o->rms_norm_eps, 0);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    bool linear = is_linear(o->config, layer->index, o->num_hidden_layers);
    if (linear) x = am_rms_norm(b, "feedforward_layer_norm", x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    x = am_decoder_mlp(b, x, layer);
    am_end_scope(b);
    return linear ? x : am_rms_norm(b, "post_feedforward_layernorm", x, o->rms_norm_eps, 0);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    o->norms = &none;
    o->qk_norm = AM_QK_NORM_ALL;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->attention = mixer;
    o->attention_scope = "";
    o->mlp = mlp;
    o->mlp_scope = "";
}

static const am_architecture architectures[] = {
    {"OlmoHybridModel", am_decoder_model, "feature-extraction", 0},
    {"OlmoHybridForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 100352,
                 .hidden_size = 3840,
                 .num_attention_heads = 30,
                 .max_position_embeddings = 65536,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 100277},
    .adapt = adapt,
};

const am_model_type am_model_olmo_hybrid = {
    .name = "olmo_hybrid", .base_prefix = "model", .architectures = architectures, .family = &family};

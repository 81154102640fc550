#include "models/blocks/short_convolution.h"

#include "models/blocks/recurrent.h"

/* layer_types, or attention in the layers full_attn_idxs lists, all where there is no list. */
static bool is_attention(const am_config *c, int layer)
{
    if (am_config_has(c, "layer_types")) {
        return am_config_layer_is(c, "layer_types", layer, "full_attention", "conv");
    }
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "full_attn_idxs")); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return true;
    return !am_config_has(c, "full_attn_idxs");
}

am_value am_short_convolution(am_builder *b, am_value x, int64_t C, int64_t kernel)
{
    const am_config *c = am_model_config(b);
    int bias = am_config_flag(c, "conv_bias", false) ? AM_BIAS : AM_NO_BIAS;
    x = am_linear(b, "in_proj", am_mask_padding_states(b, x), 3 * C, bias);
    am_value before = am_slice(b, x, -1, 0, C), after = am_slice(b, x, -1, C, 2 * C);
    x = am_mul(b, before, am_slice(b, x, -1, 2 * C, 3 * C));
    x = am_causal_convolution(b, "conv", x, am_config_size(c, "conv_L_cache", kernel), bias, AM_IDENTITY);
    return am_linear(b, "out_proj", am_mul(b, after, x), C, bias);
}

am_value am_lfm2_operator(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool attention = is_attention(am_model_config(b), layer->index);
    am_attention_options options = *layer->attention;
    options.q_norm = "q_layernorm";
    options.k_norm = "k_layernorm";
    options.out = "out_proj";
    am_scope(b, "%s", attention ? "self_attn" : "conv");
    x = attention ? am_self_attention(b, x, &options) : am_short_convolution(b, x, layer->options->hidden_size, 3);
    am_end_scope(b);
    return x;
}

am_value am_lfm2_mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    int64_t inner = layer->options->intermediate_size;
    am_value gate = am_linear(b, "w1", x, inner, AM_NO_BIAS), up = am_linear(b, "w3", x, inner, AM_NO_BIAS);
    return am_linear(b, "w2", am_gated_activation(b, AM_SILU, gate, up), layer->options->hidden_size, AM_NO_BIAS);
}

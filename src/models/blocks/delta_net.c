#include "models/blocks/delta_net.h"

#include "models/blocks/recurrent.h"

#include <math.h>

am_delta_net am_delta_net_read(const am_config *c)
{
    am_delta_net n = {
        .key_heads = am_config_size(c, "linear_num_key_heads", 16),
        .value_heads = am_config_size(c, "linear_num_value_heads", 32),
        .key_dim = am_config_size(c, "linear_key_head_dim", 128),
        .value_dim = am_config_size(c, "linear_value_head_dim", 128),
        .kernel = am_config_size(c, "linear_conv_kernel_dim", 4),
    };
    am_config_check_divides(c, "linear_num_key_heads", n.key_heads, "linear_num_value_heads", n.value_heads);
    return n;
}

/* x: [B, T, key heads * K] -> [B, T, value heads, K]: unit vectors, each key head's for the value heads it serves. */
static am_value unit_heads(am_builder *b, am_value x, const am_delta_net *n)
{
    double K = (double)n->key_dim;
    am_norm_attributes norm = {.kind = AM_NORM_RMS, .eps = 1e-6 / K};
    x = am_norm_op(b, am_split_heads(b, x, n->key_heads), AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    x = am_unsqueeze(b, am_mul_number(b, x, 1 / sqrt(K)), 3);
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[3] = n->value_heads / n->key_heads;
    return am_flatten(b, am_broadcast(b, x, shape), 2, 3);
}

am_value am_delta_decay(am_builder *b, am_value a, const am_delta_net *n)
{
    am_shape each = am_shape_of(n->value_heads);
    am_value bias = am_cast(b, am_weight(b, "dt_bias", each), AM_F32),
             rate = am_unary(b, AM_EXP, am_cast(b, am_weight(b, "A_log", each), AM_F32));
    return am_unary(b, AM_NEG, am_mul(b, rate, am_unary(b, AM_SOFTPLUS, am_add(b, a, bias))));
}

am_value am_delta_channel_decay(am_builder *b, am_value x, am_shape rates, double lower_bound, const am_delta_net *n)
{
    int64_t H = n->value_heads, K = n->key_dim;
    am_value rate = am_unary(b, AM_EXP, am_cast(b, am_weight(b, "A_log", rates), AM_F32));
    rate = am_reshape(b, rate, am_shape_of(H, 1));
    x = am_add(b, x, am_cast(b, am_weight(b, "dt_bias", am_shape_of(H * K)), AM_F32));
    x = am_split_heads(b, x, H);
    if (lower_bound != 0) return am_mul_number(b, am_unary(b, AM_SIGMOID, am_mul(b, rate, x)), lower_bound);
    return am_unary(b, AM_NEG, am_mul(b, rate, am_unary(b, AM_SOFTPLUS, x)));
}

am_value am_delta_recurrence(am_builder *b, am_value mixed, am_value log_decay, am_value beta, const am_delta_net *n)
{
    int64_t keys = n->key_heads * n->key_dim, values = n->value_heads * n->value_dim;
    am_value q = unit_heads(b, am_slice(b, mixed, -1, 0, keys), n),
             k = unit_heads(b, am_slice(b, mixed, -1, keys, 2 * keys), n),
             v = am_split_heads(b, am_slice(b, mixed, -1, 2 * keys, 2 * keys + values), n->value_heads);
    am_value before =
        am_recurrent_state(b, "state", am_shape_of(am_dim(b, v, 0), n->value_heads, n->key_dim, n->value_dim));
    am_value after, inputs[] = {am_mul_number(b, q, 1 / sqrt((double)n->key_dim)), k, v, log_decay, beta, before};
    am_value y = am_recurrence(b, inputs, 6, &(am_recurrence_attributes){.kind = AM_RECURRENCE_GATED_DELTA}, &after);
    am_recurrent_state_keep(b, before, after);
    return y;
}

am_value am_delta_convolutions(am_builder *b, am_value x, const am_delta_net *n, am_unary_fn activation)
{
    static const char *const projections[] = {"q_proj", "k_proj", "v_proj"};
    static const char *const convolutions[] = {"q_conv1d", "k_conv1d", "v_conv1d"};
    int64_t keys = n->key_heads * n->key_dim, sizes[] = {keys, keys, n->value_heads * n->value_dim};
    am_value parts[3];
    for (int i = 0; i < 3; i++) {
        parts[i] = am_linear(b, projections[i], x, sizes[i], AM_NO_BIAS);
        parts[i] = am_causal_convolution(b, convolutions[i], parts[i], n->kernel, AM_NO_BIAS, activation);
    }
    return am_concat(b, parts, 3, -1);
}

/* --- beside it --- */

am_value am_gated_query_attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    int64_t H = o->num_attention_heads, G = o->num_key_value_heads, D = o->head_dim;
    am_value both = am_split_heads(b, am_linear(b, "q_proj", x, 2 * H * D, bias), H);
    am_value q = am_slice(b, both, -1, 0, D), gate = am_merge_heads(b, am_slice(b, both, -1, D, 2 * D));
    am_value k = am_split_heads(b, am_linear(b, "k_proj", x, G * D, bias), G);
    am_value v = am_split_heads(b, am_linear(b, "v_proj", x, G * D, bias), G);
    q = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, "q_norm", q, o->rms_norm_eps, 1));
    k = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, "k_norm", k, o->rms_norm_eps, 1));
    am_value y = am_gated_activation(b, AM_SIGMOID, gate, am_attend(b, q, k, v, layer->attention));
    return am_linear(b, "o_proj", y, o->hidden_size, bias);
}

bool am_is_linear_layer(const am_config *c, int layer)
{
    if (!am_config_has(c, "layer_types")) return (layer + 1) % am_config_size(c, "full_attention_interval", 4) != 0;
    return am_config_layer_is(c, "layer_types", layer, "linear_attention", "full_attention");
}

static am_value qwen3_5_delta_net(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_delta_net n = am_delta_net_read(layer->options->config);
    int64_t values = n.value_heads * n.value_dim, mixed = 2 * n.key_heads * n.key_dim + values;
    x = am_mask_padding_states(b, x);
    am_value qkv = am_linear(b, "in_proj_qkv", x, mixed, AM_NO_BIAS);
    qkv = am_causal_convolution(b, "conv1d", qkv, n.kernel, AM_NO_BIAS, layer->options->hidden_act);
    am_value z = am_split_heads(b, am_linear(b, "in_proj_z", x, values, AM_NO_BIAS), n.value_heads);
    am_value beta = am_linear_activation(b, "in_proj_b", x, n.value_heads, AM_NO_BIAS, AM_SIGMOID);
    am_value decay = am_delta_decay(b, am_linear(b, "in_proj_a", x, n.value_heads, AM_NO_BIAS), &n);
    am_value y = am_rms_norm(b, "norm", am_delta_recurrence(b, qkv, decay, beta, &n), layer->options->rms_norm_eps, 0);
    y = am_merge_heads(b, am_gated_activation(b, AM_SILU, z, y));
    return am_linear(b, "out_proj", y, layer->options->hidden_size, AM_NO_BIAS);
}

am_value am_qwen3_5_mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool linear = am_is_linear_layer(layer->options->config, layer->index);
    am_scope(b, "%s", linear ? "linear_attn" : "self_attn");
    x = linear ? qwen3_5_delta_net(b, x, layer) : am_gated_query_attention(b, x, layer);
    am_end_scope(b);
    return x;
}

#include "models/blocks/windowed_vit.h"

/* Detectors' files have the projections below attention.attention, backbones' below attention. */
static am_attention_options attention_of(am_builder *b, const am_windowed_options *o)
{
    am_attention_options r = {.heads = o->heads,
                              .head_dim = o->head_dim,
                              .no_q_bias = !o->qkv_bias,
                              .no_k_bias = !o->key_bias,
                              .no_v_bias = !o->qkv_bias,
                              .out = "o_proj"};
    if (am_has_weight(b, "q_proj.weight")) return r;
    r.q = "attention.query";
    r.k = "attention.key";
    r.v = "attention.value";
    r.out = o->out;
    return r;
}

static am_value mlp(am_builder *b, const am_windowed_options *o, am_value x)
{
    if (!o->gated)
        return am_linear(b, o->down, am_linear_activation(b, o->up, x, o->inner, AM_BIAS, o->hidden_act), o->C,
                         AM_BIAS);
    am_scope(b, "mlp");
    am_value gate = am_linear(b, "gate_proj", x, o->inner, AM_BIAS);
    x = am_gated_activation(b, AM_SILU, gate, am_linear(b, "up_proj", x, o->inner, AM_BIAS));
    x = am_linear(b, "down_proj", x, o->C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value scaled(am_builder *b, const char *name, am_value x)
{
    return am_mul(b, x, am_parameter(b, name, am_shape_of(am_dim(b, x, 2)), x));
}

static am_value layer(am_builder *b, const am_windowed_options *o, am_value x, int i)
{
    am_shape shape = am_shape_of_value(b, x),
             whole = am_shape_of(shape.dims[0] / o->windows, shape.dims[1] * o->windows, o->C);
    am_value h = am_layer_norm(b, o->norm_before, x, o->layer_norm_eps);
    if (!o->in_windows[i]) h = am_reshape(b, h, whole);
    am_scope(b, "attention");
    am_attention_options attention = attention_of(b, o);
    h = am_self_attention(b, h, &attention);
    am_end_scope(b);
    if (!o->in_windows[i]) h = am_reshape(b, h, shape);
    x = am_add(b, x, scaled(b, o->attention_scale, h));
    return am_add(b, x, scaled(b, o->mlp_scale, mlp(b, o, am_layer_norm(b, o->norm_after, x, o->layer_norm_eps))));
}

void am_windowed_layers(am_builder *b, const am_windowed_options *o, am_value x, am_value *states)
{
    states[0] = x;
    for (int i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        states[i + 1] = x = layer(b, o, x, i);
        am_end_scope(b);
    }
    for (int i = 0; i <= o->layers && !am_builder_failed(b); i++)
        am_output_hidden_state(b, "hidden_states", i, states[i]);
}

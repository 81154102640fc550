#include "models/blocks/pre_norm.h"

static am_value two_linears(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1);
    x = am_linear_activation(b, o->names->up, x, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_linear(b, o->names->down, x, C, AM_BIAS);
}

/* x + h, times the weight of that name where there is one. */
static am_value add_scaled(am_builder *b, am_value x, am_value h, const char *scale)
{
    if (scale) h = am_mul(b, h, am_cast(b, am_weight(b, scale, am_shape_of(am_dim(b, x, -1))), am_dtype_of(b, h)));
    return am_add(b, x, h);
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_pre_norm_options *o)
{
    return o->rms_norm ? am_rms_norm(b, name, x, o->layer_norm_eps, 0) : am_layer_norm(b, name, x, o->layer_norm_eps);
}

am_value am_pre_norm_layer(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const am_pre_norm_names *names = o->names;
    am_value h = norm(b, names->norm_before, x, o);
    am_attention_options attention = o->attention;
    am_scope(b, "%s", names->attention);
    if (o->attention_bias) attention.bias = o->attention_bias(b, o);
    h = am_self_attention(b, h, &attention);
    am_end_scope(b);
    x = add_scaled(b, x, h, names->attention_scale);
    h = norm(b, names->norm_after, x, o);
    return add_scaled(b, x, (o->mlp ? o->mlp : two_linears)(b, h, o), names->mlp_scale);
}

static void keep_state(am_builder *b, const am_pre_norm_options *o, int64_t i, am_value x)
{
    const char *states = o->hidden_states ? o->hidden_states : "hidden_states";
    if (states[0]) am_output_hidden_state(b, states, (int)i, x);
    if (o->out_states) o->out_states[i] = x;
}

am_value am_pre_norm_layers(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        keep_state(b, o, i, x);
        if (i > 0 && o->between) x = o->between(b, x, i, o);
        am_scope(b, "%s.%d", o->names->layers, i);
        x = am_pre_norm_layer(b, x, o);
        am_end_scope(b);
    }
    if (o->behind) x = o->behind(b, x, o);
    if (o->final_norm) x = am_layer_norm(b, o->final_norm, x, o->final_norm_eps);
    keep_state(b, o, o->num_hidden_layers, x);
    return x;
}

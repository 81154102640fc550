#include "models/blocks/pre_norm.h"

static am_value layer(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const am_pre_norm_names *names = o->names;
    int64_t C = am_dim(b, x, -1);
    am_value h = am_layer_norm(b, names->norm_before, x, o->layer_norm_eps);
    am_scope(b, "%s", names->attention);
    x = am_add(b, x, am_self_attention(b, h, &o->attention));
    am_end_scope(b);
    h = am_layer_norm(b, names->norm_after, x, o->layer_norm_eps);
    h = am_linear_activation(b, names->up, h, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_add(b, x, am_linear(b, names->down, h, C, AM_BIAS));
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
        am_scope(b, "%s.%d", o->names->layers, i);
        x = layer(b, x, o);
        am_end_scope(b);
    }
    if (o->final_norm) x = am_layer_norm(b, o->final_norm, x, o->final_norm_eps);
    keep_state(b, o, o->num_hidden_layers, x);
    return x;
}

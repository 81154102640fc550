#include "models/blocks/state_space.h"

#include "models/blocks/attention.h"

#include <math.h>

int64_t am_time_step_rank(const am_config *c, const char *key, int64_t C)
{
    return am_config_is(c, key, "auto") ? (C + 15) / 16 : am_config_size(c, key, (C + 15) / 16);
}

am_value am_selective_scan(am_builder *b, am_value x, am_value delta, am_value A, am_value B, am_value C, am_value D)
{
    am_value before = am_recurrent_state(b, "ssm", am_shape_of(am_dim(b, x, 0), am_dim(b, A, 0), am_dim(b, A, 1)));
    am_value after, inputs[] = {x, delta, A, B, C, before};
    am_value y = am_recurrence(b, inputs, 6, &(am_recurrence_attributes){.kind = AM_RECURRENCE_SELECTIVE_SCAN}, &after);
    am_recurrent_state_keep(b, before, after);
    return am_add(b, y, am_mul(b, x, D));
}

static am_value f32_weight(am_builder *b, const char *name, am_shape shape)
{
    return am_cast(b, am_weight(b, name, shape), AM_F32);
}

/* -exp(A_log) */
static am_value decay_rates(am_builder *b, am_shape shape)
{
    return am_unary(b, AM_NEG, am_unary(b, AM_EXP, f32_weight(b, "A_log", shape)));
}

/* --- Mamba --- */

static am_value inner_norm(am_builder *b, const char *name, am_value x, const am_mamba_options *o)
{
    if (!o->inner_norms) return x;
    if (o->inner_norm_weights) return am_rms_norm(b, name, x, o->inner_norm_eps, 0);
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE,
                      &(am_norm_attributes){.kind = AM_NORM_RMS, .eps = o->inner_norm_eps});
}

am_value am_mamba_mixer(am_builder *b, am_value x, const am_mamba_options *o)
{
    int64_t C = am_dim(b, x, -1), D = o->intermediate_size, R = o->time_step_rank, N = o->state_size;
    am_value both = am_linear(b, "in_proj", am_mask_padding_states(b, x), 2 * D, o->bias);
    am_value gate = am_slice(b, both, -1, D, 2 * D);
    x = am_causal_convolution(b, "conv1d", am_slice(b, both, -1, 0, D), o->conv_kernel, o->conv_bias, o->activation);
    x = am_mask_padding_states(b, x);
    am_value selected = am_linear(b, "x_proj", x, R + 2 * N, AM_NO_BIAS);
    am_value step = inner_norm(b, "dt_layernorm", am_slice(b, selected, -1, 0, R), o),
             in = inner_norm(b, "b_layernorm", am_slice(b, selected, -1, R, R + N), o),
             out = inner_norm(b, "c_layernorm", am_slice(b, selected, -1, R + N, R + 2 * N), o);
    am_value delta = am_linear_activation(b, "dt_proj", step, D, AM_BIAS, AM_SOFTPLUS);
    am_value y =
        am_selective_scan(b, x, delta, decay_rates(b, am_shape_of(D, N)), in, out, f32_weight(b, "D", am_shape_of(D)));
    return am_linear(b, "out_proj", am_gated_activation(b, AM_SILU, gate, y), C, o->bias);
}

am_mamba_options am_mamba_options_read(const am_config *c, int64_t C)
{
    return (am_mamba_options){
        .intermediate_size = am_config_size(c, "intermediate_size", am_config_size(c, "expand", 2) * C),
        .state_size = am_config_size(c, "state_size", 16),
        .conv_kernel = am_config_size(c, "conv_kernel", 4),
        .time_step_rank = am_time_step_rank(c, "time_step_rank", C),
        .bias = am_config_flag(c, "use_bias", false),
        .conv_bias = am_config_flag(c, "use_conv_bias", true),
        .activation = am_config_activation(c, "hidden_act", AM_SILU),
    };
}

/* --- Mamba 2 --- */

/* transformers writes infinity as {"__float__": "Infinity"}. */
static double number_or_infinity(am_json value, double fallback)
{
    return am_json_equals(am_json_get(value, "__float__"), "Infinity") ? INFINITY : am_json_real(value, fallback);
}

void am_read_time_step_limit(const am_config *c, am_mamba2_options *o)
{
    double limits[] = {0, INFINITY};
    am_json list = am_json_get(c->object, "time_step_limit");
    int count = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++)
        if (count < 2) limits[count] = number_or_infinity(i.value, limits[count]);
    if (count != 2 && am_config_has(c, "time_step_limit"))
        am_config_fail(c, "time_step_limit", "expected two numbers, found %d values", count);
    o->time_step_min = limits[0];
    o->time_step_max = limits[1];
}

am_value am_grouped_rms_norm(am_builder *b, const char *name, am_value x, int64_t groups, double eps)
{
    am_scope(b, "%s", name);
    am_value weight = f32_weight(b, "weight", am_shape_of(am_dim(b, x, -1)));
    am_end_scope(b);
    x = am_norm_op(b, am_split_heads(b, x, groups), AM_NONE, AM_NONE, AM_NONE, AM_NONE,
                   &(am_norm_attributes){.kind = AM_NORM_RMS, .eps = eps});
    return am_mul(b, am_merge_heads(b, x), weight);
}

/* x: [.., H] -> [.., H * P], each P times. */
static am_value for_head_channels(am_builder *b, am_value x, int64_t P)
{
    am_value repeated = am_unsqueeze(b, x, -1);
    if (am_builder_failed(b)) return AM_NONE;
    am_shape shape = am_shape_of_value(b, repeated);
    shape.dims[shape.rank - 1] = P;
    return am_flatten(b, am_broadcast(b, repeated, shape), shape.rank - 2, shape.rank - 1);
}

/* transformers limits time steps in whole sequences, and not in single tokens behind others. */
static am_value limited_time_step(am_builder *b, am_value step, const am_mamba2_options *o)
{
    step = am_unary(b, AM_SOFTPLUS, am_add(b, step, f32_weight(b, "dt_bias", am_shape_of(o->heads))));
    am_value limited = step;
    if (o->time_step_min > 0) limited = am_binary_number(b, AM_MAX, limited, o->time_step_min);
    if (!isinf(o->time_step_max)) limited = am_binary_number(b, AM_MIN, limited, o->time_step_max);
    if (limited.id == step.id || !am_has_cache(b) || am_dim(b, step, 1) != 1) return limited;
    return am_select(b, am_binary_number(b, AM_EQUAL, am_cache_offset(b), 0), limited, step);
}

static am_value gated_norm(am_builder *b, am_value y, am_value gate, const am_mamba2_options *o)
{
    if (o->gate_only) return am_gated_activation(b, AM_SILU, gate, y);
    if (o->norm_before_gate)
        return am_gated_activation(b, AM_SILU, gate, am_grouped_rms_norm(b, "norm", y, o->norm_groups, o->norm_eps));
    return am_grouped_rms_norm(b, "norm", am_gated_activation(b, AM_SILU, gate, y), o->norm_groups, o->norm_eps);
}

am_value am_mamba2_mixer(am_builder *b, am_value x, const am_mamba2_options *o)
{
    int64_t C = am_dim(b, x, -1), H = o->heads, P = o->head_dim, D = H * P, N = o->state_size, G = o->groups;
    int64_t mixed = D + 2 * G * N;
    am_value all = am_linear(b, "in_proj", am_mask_padding_states(b, x), D + mixed + H, o->bias);
    if (o->in_scale.id) all = am_mul(b, all, o->in_scale);
    am_value gate = am_slice(b, all, -1, 0, D), step = am_slice(b, all, -1, D + mixed, D + mixed + H);
    x = am_causal_convolution(b, "conv1d", am_slice(b, all, -1, D, D + mixed), o->conv_kernel, o->conv_bias,
                              o->activation);
    x = am_mask_padding_states(b, x);
    am_value in = am_split_heads(b, am_slice(b, x, -1, D, D + G * N), G),
             out = am_split_heads(b, am_slice(b, x, -1, D + G * N, mixed), G);
    am_value A = for_head_channels(b, decay_rates(b, am_shape_of(H)), P);
    A = am_broadcast(b, am_unsqueeze(b, A, 1), am_shape_of(D, N));
    am_value delta = for_head_channels(b, limited_time_step(b, step, o), P);
    am_value skip = for_head_channels(b, f32_weight(b, "D", am_shape_of(H)), P);
    am_value y = am_selective_scan(b, am_slice(b, x, -1, 0, D), delta, A, in, out, skip);
    return am_linear(b, "out_proj", gated_norm(b, y, gate, o), C, o->out_bias);
}

/* --- bodies --- */

am_value am_recurrent_layers(am_builder *b, const char *name, int64_t count, am_value x, am_causal_layer *layer,
                             const void *context)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", name, i);
        x = layer(b, x, context, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    return x;
}

typedef struct mixing {
    am_value (*mixer)(am_builder *b, am_value x, const void *context);
    const void *context;
    double eps;
} mixing;

static am_value mixing_layer(am_builder *b, am_value x, const void *context, int index)
{
    const mixing *m = context;
    (void)index;
    am_value h = am_rms_norm(b, "norm", x, m->eps, 0);
    am_scope(b, "mixer");
    h = m->mixer(b, h, m->context);
    am_end_scope(b);
    return am_add(b, x, h);
}

am_value am_state_space_body(am_builder *b, const char *prefix, int64_t C, int64_t layers,
                             am_value (*mixer)(am_builder *b, am_value x, const void *context), const void *context)
{
    mixing m = {mixer, context, am_config_real(am_model_config(b), "layer_norm_epsilon", 1e-5)};
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embeddings", C);
    x = am_recurrent_layers(b, "layers", layers, x, mixing_layer, &m);
    x = am_rms_norm(b, "norm_f", x, m.eps, 0);
    am_output_hidden_state(b, "hidden_states", (int)layers, x);
    am_end_scope(b);
    return x;
}

static am_value mamba_mixer(am_builder *b, am_value x, const void *context)
{
    return am_mamba_mixer(b, x, context);
}

am_value am_mamba_body(am_builder *b, const char *prefix, const am_mamba_options *options, int64_t C)
{
    int64_t layers = am_config_count(am_model_config(b), "num_hidden_layers", 32);
    return am_state_space_body(b, prefix, C, layers, mamba_mixer, options);
}

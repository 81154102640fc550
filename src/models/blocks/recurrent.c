#include "models/blocks/recurrent.h"

#include <stdio.h>

am_value am_recurrent_state(am_builder *b, const char *name, am_shape shape)
{
    return am_has_cache(b) ? am_cache_load(b, name, shape) : am_broadcast(b, am_scalar(b, AM_F32, 0), shape);
}

void am_recurrent_state_keep(am_builder *b, am_value state, am_value updated)
{
    if (am_has_cache(b)) am_state_update(b, state, updated);
}

am_value am_mask_padding_states(am_builder *b, am_value x)
{
    int64_t T = am_dim(b, x, 1);
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id || T == 1) return x;
    if (am_has_cache(b)) { /* the mask covers all places */
        am_value places = am_add(b, am_iota(b, AM_I32, am_shape_of(T), 0, 0, 1), am_cache_offset(b));
        mask = am_gather(b, mask, places, 1, false);
    }
    return am_mul(b, x, am_unsqueeze(b, am_cast(b, mask, AM_F32), -1));
}

am_value am_causal_convolution(am_builder *b, const char *name, am_value x, int64_t kernel, int bias,
                               am_unary_fn activation)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_convolution_attributes each = {.groups = C};
    if (kernel > 1) {
        am_scope(b, "%s", name);
        am_value past = am_recurrent_state(b, "past", am_shape_of(B, kernel - 1, C));
        am_end_scope(b);
        x = am_concat2(b, past, x, 1);
        am_recurrent_state_keep(b, past, am_slice(b, x, 1, T, T + kernel - 1));
    }
    x = am_conv(b, name, am_permute(b, x, am_shape_of(0, 2, 1)), C, am_shape_of(kernel), bias, &each);
    return am_unary(b, activation, am_permute(b, x, am_shape_of(0, 2, 1)));
}

/* The weight "KIND_l<layer>" of the gates. */
static am_value gate_weight(am_builder *b, const char *kind, int layer, am_shape shape)
{
    char name[64];
    snprintf(name, sizeof name, "%s_l%d", kind, layer);
    return am_cast(b, am_weight(b, name, shape), AM_F32);
}

am_value am_lstm(am_builder *b, const char *name, am_value x, int64_t layers)
{
    int64_t C = am_dim(b, x, -1);
    am_shape square = am_shape_of(4 * C, C), row = am_shape_of(4 * C);
    am_value zero = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(am_dim(b, x, 0), C)), states[2];
    am_scope(b, "%s", name);
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_value bias = am_add(b, gate_weight(b, "bias_ih", i, row), gate_weight(b, "bias_hh", i, row));
        am_value inputs[] = {am_linear_with(b, x, gate_weight(b, "weight_ih", i, square), bias),
                             gate_weight(b, "weight_hh", i, square), zero, zero};
        x = am_recurrence(b, inputs, 4, &(am_recurrence_attributes){.kind = AM_RECURRENCE_LSTM}, states);
    }
    am_end_scope(b);
    return x;
}

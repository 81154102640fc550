#include "models/blocks/limited_gates.h"

am_value am_within(am_builder *b, am_value x, double limit)
{
    return limit == 0 ? x : am_binary_number(b, AM_MAX, am_binary_number(b, AM_MIN, x, limit), -limit);
}

am_value am_oss_gate(am_builder *b, am_value gate, am_value up, double limit, double alpha)
{
    gate = am_binary_number(b, AM_MIN, gate, limit);
    gate = am_mul(b, gate, am_unary(b, AM_SIGMOID, am_mul_number(b, gate, alpha)));
    return am_mul(b, am_add_number(b, am_within(b, up, limit), 1), gate);
}

am_value am_limited_gate(am_builder *b, am_unary_fn activation, am_value gate, am_value up, double limit)
{
    if (limit == 0) return am_gated_activation(b, activation, gate, up);
    return am_mul(b, am_binary_number(b, AM_MIN, am_unary(b, activation, gate), limit), am_within(b, up, limit));
}

am_value am_gate_of_limited(am_builder *b, am_unary_fn activation, am_value gate, am_value up, double limit)
{
    if (limit != 0) gate = am_binary_number(b, AM_MIN, gate, limit);
    return am_gated_activation(b, activation, gate, am_within(b, up, limit));
}

am_value am_limited_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation, int bias, double limit)
{
    am_value gate = am_linear(b, "gate_proj", x, inner, bias), up = am_linear(b, "up_proj", x, inner, bias);
    return am_linear(b, "down_proj", am_gate_of_limited(b, activation, gate, up, limit), am_dim(b, x, -1), bias);
}

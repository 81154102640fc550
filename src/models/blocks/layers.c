#include "models/blocks/layers.h"

am_value am_linear_activation(am_builder *b, const char *name, am_value x, int64_t out, int bias,
                              am_unary_fn activation)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(out, am_dim(b, x, -1)));
    am_value offset = bias ? am_weight(b, "bias", am_shape_of(out)) : AM_NONE;
    am_value y = am_linear_op(b, x, weight, offset, AM_NONE, &(am_linear_attributes){.activation = (int)activation});
    am_end_scope(b);
    return y;
}

am_value am_linear(am_builder *b, const char *name, am_value x, int64_t out, int bias)
{
    return am_linear_activation(b, name, x, out, bias, AM_IDENTITY);
}

am_value am_linear_in_out(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, -1), out)),
             bias = am_weight(b, "bias", am_shape_of(out));
    am_value y = am_linear_op(b, x, weight, bias, AM_NONE, &(am_linear_attributes){.in_out = true});
    am_end_scope(b);
    return y;
}

am_value am_linear_with(am_builder *b, am_value x, am_value weight, am_value bias)
{
    return am_linear_op(b, x, weight, bias, AM_NONE, &(am_linear_attributes){0});
}

static am_value layer_norm(am_builder *b, const char *name, am_value x, double eps, bool has_bias)
{
    am_shape channels = am_shape_of(am_dim(b, x, -1));
    am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = eps};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", channels), bias = has_bias ? am_weight(b, "bias", channels) : AM_NONE;
    am_value y = am_norm_op(b, x, weight, bias, AM_NONE, AM_NONE, &options);
    am_end_scope(b);
    return y;
}

am_value am_layer_norm(am_builder *b, const char *name, am_value x, double eps)
{
    return layer_norm(b, name, x, eps, true);
}

am_value am_layer_norm_no_bias(am_builder *b, const char *name, am_value x, double eps)
{
    return layer_norm(b, name, x, eps, false);
}

am_value am_layer_norm_channels_first(am_builder *b, const char *name, am_value x, double eps)
{
    am_shape last = {.rank = am_rank(b, x)}, first = {.rank = last.rank};
    for (int i = 0; i < last.rank; i++) {
        last.dims[i] = i == 0 ? 0 : i == last.rank - 1 ? 1 : i + 1;
        first.dims[i] = i == 0 ? 0 : i == 1 ? last.rank - 1 : i - 1;
    }
    return am_permute(b, am_layer_norm(b, name, am_permute(b, x, last), eps), first);
}

am_value am_rms_norm(am_builder *b, const char *name, am_value x, double eps, double weight_offset)
{
    am_norm_attributes options = {.kind = AM_NORM_RMS, .eps = eps, .weight_offset = weight_offset};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, -1)));
    am_value y = am_norm_op(b, x, weight, AM_NONE, AM_NONE, AM_NONE, &options);
    am_end_scope(b);
    return y;
}

am_value am_group_norm(am_builder *b, const char *name, am_value x, int64_t groups, double eps)
{
    am_shape channels = am_shape_of(am_dim(b, x, 1));
    am_norm_attributes options = {.kind = AM_NORM_GROUP, .eps = eps, .groups = groups};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", channels), bias = am_weight(b, "bias", channels);
    am_value y = am_norm_op(b, x, weight, bias, AM_NONE, AM_NONE, &options);
    am_end_scope(b);
    return y;
}

am_value am_batch_norm(am_builder *b, const char *name, am_value x, double eps)
{
    am_shape channels = am_shape_of(am_dim(b, x, 1));
    am_norm_attributes options = {.kind = AM_NORM_BATCH, .eps = eps};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", channels), bias = am_weight(b, "bias", channels);
    am_value mean = am_weight(b, "running_mean", channels), variance = am_weight(b, "running_var", channels);
    am_value y = am_norm_op(b, x, weight, bias, mean, variance, &options);
    am_end_scope(b);
    return y;
}

am_value am_embedding(am_builder *b, const char *name, am_value ids, int64_t count, int64_t C)
{
    am_scope(b, "%s", name);
    am_value y = am_embedding_op(b, am_weight(b, "weight", am_shape_of(count, C)), ids);
    am_end_scope(b);
    return y;
}

am_value am_positions_after_pad(am_builder *b, am_value ids, int64_t pad)
{
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    am_value count = am_scan(b, AM_REDUCE_SUM, real, 1, false, false);
    if (am_has_cache(b)) count = am_add(b, count, am_cache_offset(b));
    return am_add_number(b, am_mul(b, count, real), (double)pad);
}

am_value am_conv(am_builder *b, const char *name, am_value x, int64_t out, am_shape kernel, int bias,
                 const am_convolution_attributes *options)
{
    am_shape shape = {.rank = kernel.rank + 2,
                      .dims = {out, am_dim(b, x, 1) / (options->groups ? options->groups : 1)}};
    for (int i = 0; i < kernel.rank; i++) shape.dims[i + 2] = kernel.dims[i];
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", shape), offset = bias ? am_weight(b, "bias", am_shape_of(out)) : AM_NONE;
    am_value y = am_convolution(b, x, weight, offset, options);
    am_end_scope(b);
    return y;
}

am_value am_unit_length(am_builder *b, am_value x, double least)
{
    am_value square = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x)),
             length = am_unary(b, AM_SQRT, square);
    return am_div(b, x, least > 0 ? am_binary_number(b, AM_MAX, length, least) : length);
}

am_value am_leaky_relu(am_builder *b, am_value x, double slope)
{
    am_value below = am_mul_number(b, x, slope);
    if (slope >= 0 && slope <= 1) return am_binary(b, AM_MAX, x, below);
    return am_select(b, am_binary_number(b, AM_GREATER_EQUAL, x, 0), x, below);
}

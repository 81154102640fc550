#include "models/blocks/speech.h"

/* The norms of the convolutions have the default of torch, whatever layer_norm_eps says. */
static const double CONVOLUTION_NORM_EPS = 1e-5;

am_wave_encoder am_wave_encoder_read(const am_config *c, const am_wave_encoder *absent)
{
    static const am_wave_encoder wav2vec2 = {.layers = 7,
                                             .dims = {512, 512, 512, 512, 512, 512, 512},
                                             .kernels = {10, 3, 3, 3, 3, 2, 2},
                                             .strides = {5, 2, 2, 2, 2, 2, 2}};
    const am_wave_encoder *a = absent ? absent : &wav2vec2;
    am_wave_encoder e = {.bias = am_config_flag(c, "conv_bias", false),
                         .layer_norms = am_config_is(c, "feat_extract_norm", "layer"),
                         .activation = am_config_activation(c, "feat_extract_activation", AM_GELU)};
    e.layers = am_config_sizes(c, "conv_dim", e.dims, AM_WAVE_LAYERS_LIMIT, a->dims, a->layers);
    int kernel_count = am_config_sizes(c, "conv_kernel", e.kernels, AM_WAVE_LAYERS_LIMIT, a->kernels, a->layers),
        stride_count = am_config_sizes(c, "conv_stride", e.strides, AM_WAVE_LAYERS_LIMIT, a->strides, a->layers);
    if (kernel_count != e.layers || stride_count != e.layers || e.layers == 0)
        am_config_fail(c, "conv_dim", "%d sizes, with %d in conv_kernel and %d in conv_stride", e.layers, kernel_count,
                       stride_count);
    if (!e.layer_norms && am_config_has(c, "feat_extract_norm") && !am_config_is(c, "feat_extract_norm", "group"))
        am_config_fail(c, "feat_extract_norm", "expected \"group\" or \"layer\", found \"%s\"",
                       am_config_text(c, "feat_extract_norm", ""));
    return e;
}

am_value am_wave_encode(am_builder *b, am_value samples, const am_wave_encoder *e)
{
    am_value x = am_unsqueeze(b, samples, 1);
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_convolution_attributes options = {.stride = am_shape_of(e->strides[i])};
        am_scope(b, "conv_layers.%d", i);
        x = am_conv(b, "conv", x, e->dims[i], am_shape_of(e->kernels[i]), e->bias ? AM_BIAS : AM_NO_BIAS, &options);
        if (e->layer_norms) x = am_layer_norm_channels_first(b, "layer_norm", x, CONVOLUTION_NORM_EPS);
        else if (i == 0) x = am_group_norm(b, "layer_norm", x, e->dims[0], CONVOLUTION_NORM_EPS);
        x = am_unary(b, e->activation, x);
        am_end_scope(b);
    }
    return am_transpose(b, x, 1, 2);
}

am_value am_convolved_length(am_builder *b, am_value lengths, int64_t kernel, int64_t stride)
{
    lengths = am_add_number(b, lengths, (double)-kernel);
    return am_add_number(b, am_binary_number(b, AM_DIV, lengths, (double)stride), 1);
}

am_value am_wave_lengths(am_builder *b, am_value lengths, const am_wave_encoder *e)
{
    for (int i = 0; i < e->layers; i++) lengths = am_convolved_length(b, lengths, e->kernels[i], e->strides[i]);
    return lengths;
}

am_value am_attended_lengths(am_builder *b)
{
    return am_marked_lengths(b, "attention_mask");
}

am_value am_marked_lengths(am_builder *b, const char *input)
{
    am_value mask = am_input_optional(b, input, 2);
    return mask.id ? am_reduce(b, AM_REDUCE_SUM, am_cast(b, mask, AM_I32), am_shape_of(1), false) : AM_NONE;
}

am_value am_frames_before(am_builder *b, am_value lengths, int64_t T)
{
    am_value frames = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    return am_binary(b, AM_LESS, frames, am_unsqueeze(b, lengths, 1));
}

am_value am_frame_mask(am_builder *b, am_value lengths, int64_t T)
{
    am_value some = am_binary_number(b, AM_GREATER, lengths, 0);
    return am_frames_before(b, am_select(b, some, lengths, am_add_number(b, lengths, (double)T)), T);
}

am_value am_zero_outside(am_builder *b, am_value x, am_value mask)
{
    if (!mask.id) return x;
    for (int rank = am_rank(b, x), i = 2; i < rank; i++) mask = am_unsqueeze(b, mask, i);
    return am_select(b, mask, x, am_scalar(b, am_dtype_of(b, x), 0));
}

am_value am_normed_weight(am_builder *b, am_shape shape, int axis)
{
    am_shape sizes = {.rank = shape.rank}, others = {0};
    for (int i = 0; i < shape.rank; i++) {
        sizes.dims[i] = i == axis ? shape.dims[i] : 1;
        if (i != axis) others.dims[others.rank++] = i;
    }
    if (am_has_weight(b, "weight")) return am_weight(b, "weight", shape);
    am_value size = am_cast(b, am_weight(b, "parametrizations.weight.original0", sizes), AM_F32);
    am_value direction = am_cast(b, am_weight(b, "parametrizations.weight.original1", shape), AM_F32);
    am_value squares = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, direction), others, true);
    return am_mul(b, direction, am_div(b, size, am_unary(b, AM_SQRT, squares)));
}

am_value am_normed_convolution(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias,
                               const am_convolution_attributes *options)
{
    int64_t in = am_dim(b, x, 1), groups = options->groups ? options->groups : 1;
    am_scope(b, "%s", name);
    am_value weight = am_normed_weight(b, am_shape_of(out, in / groups, kernel), 0);
    x = am_convolution(b, x, weight, bias ? am_weight(b, "bias", am_shape_of(out)) : AM_NONE, options);
    am_end_scope(b);
    return x;
}

am_value am_normed_conv_transpose(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias,
                                  const am_convolution_attributes *options)
{
    int64_t in = am_dim(b, x, 1), groups = options->groups ? options->groups : 1;
    am_scope(b, "%s", name);
    am_value weight = am_normed_weight(b, am_shape_of(in, out / groups, kernel), 0);
    x = am_conv_transpose(b, x, weight, bias ? am_weight(b, "bias", am_shape_of(out)) : AM_NONE, options);
    am_end_scope(b);
    return x;
}

am_value am_positional_convolution(am_builder *b, const char *name, am_value x, int64_t kernel, int64_t stride,
                                   int64_t groups, am_unary_fn activation)
{
    int64_t C = am_dim(b, x, -1), half = kernel / 2;
    am_convolution_attributes options = {.stride = am_shape_of(stride),
                                         .padding_before = am_shape_of(half),
                                         .padding_after = am_shape_of(kernel % 2 ? half : half - 1),
                                         .groups = groups};
    am_scope(b, "%s", name);
    am_value weight = am_normed_weight(b, am_shape_of(C, groups ? C / groups : 0, kernel), 2);
    am_value y = am_convolution(b, am_transpose(b, x, 1, 2), weight, am_weight(b, "bias", am_shape_of(C)), &options);
    am_end_scope(b);
    return am_transpose(b, am_unary(b, activation, y), 1, 2);
}

am_value am_gated_convolution(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                              const am_convolution_attributes *options)
{
    am_value y = am_conv(b, name, x, 2 * out, am_shape_of(kernel), AM_BIAS, options);
    return am_gated_activation(b, AM_SIGMOID, am_slice(b, y, 1, out, 2 * out), am_slice(b, y, 1, 0, out));
}

am_value am_speech_feed_forward(am_builder *b, const char *name, am_value x, int64_t inner, am_unary_fn activation)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "intermediate_dense", x, inner, AM_BIAS, activation);
    x = am_linear(b, "output_dense", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

am_value am_weighted_states(am_builder *b, const char *name, const am_value *states, int count)
{
    am_value parts = am_softmax(b, am_cast(b, am_weight(b, name, am_shape_of(count)), AM_F32), 0), sum = AM_NONE;
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_value part = am_mul(b, states[i], am_index(b, parts, 0, i));
        sum = i ? am_add(b, sum, part) : part;
    }
    return sum;
}

am_value am_time_delay_layer(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(out, kernel * C)),
             bias = am_weight(b, "bias", am_shape_of(out));
    am_end_scope(b);
    weight = am_transpose(b, am_reshape(b, weight, am_shape_of(out, kernel, C)), 1, 2);
    am_value y = am_convolution(b, am_transpose(b, x, 1, 2), weight, bias,
                                &(am_convolution_attributes){.dilation = am_shape_of(dilation)});
    return am_unary(b, AM_RELU, am_transpose(b, y, 1, 2));
}

/* How many frames x[:length] has: lengths: I32 [B], x of T frames. */
static am_value sliced_lengths(am_builder *b, am_value lengths, int64_t T)
{
    am_value from_end = am_binary_number(b, AM_MAX, am_add_number(b, lengths, (double)T), 0);
    lengths = am_select(b, am_binary_number(b, AM_LESS, lengths, 0), from_end, lengths);
    return am_binary_number(b, AM_MIN, lengths, (double)T);
}

am_value am_mean_and_deviation(am_builder *b, am_value x, am_value lengths)
{
    int64_t T = am_dim(b, x, 1);
    am_value mask = AM_NONE, count = am_scalar(b, am_dtype_of(b, x), (double)T);
    if (lengths.id) {
        lengths = sliced_lengths(b, lengths, T);
        mask = am_frames_before(b, lengths, T);
        count = am_reshape(b, am_cast(b, lengths, am_dtype_of(b, x)), am_shape_of(am_dim(b, lengths, 0), 1, 1));
    }
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_zero_outside(b, x, mask), am_shape_of(1), true),
             mean = am_div(b, sum, count),
             squares = am_zero_outside(b, am_unary(b, AM_SQUARE, am_sub(b, x, mean)), mask);
    am_value variance =
        am_div(b, am_reduce(b, AM_REDUCE_SUM, squares, am_shape_of(1), true), am_add_number(b, count, -1));
    return am_squeeze(b, am_concat2(b, mean, am_unary(b, AM_SQRT, variance), 2), 1);
}

am_value am_repeat_rows(am_builder *b, am_value x, am_value durations, int64_t L)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value ends = am_scan(b, AM_REDUCE_SUM, durations, 1, false, false);
    am_value places = am_iota(b, AM_I32, am_shape_of(B, L), 1, 0, 1);
    am_value row = am_search_sorted(b, ends, places, true), is_row = am_binary_number(b, AM_LESS, row, (double)T);
    row = am_unsqueeze(b, am_binary_number(b, AM_MIN, row, (double)(T - 1)), 2);
    return am_zero_outside(b, am_gather(b, x, am_broadcast(b, row, am_shape_of(B, L, C)), 1, true), is_row);
}

am_value am_speech_postnet(am_builder *b, const am_config *c, am_value x)
{
    int64_t bins = am_dim(b, x, 2), layers = am_config_count(c, "speech_decoder_postnet_layers", 5),
            units = am_config_size(c, "speech_decoder_postnet_units", 256),
            kernel = am_config_size(c, "speech_decoder_postnet_kernel", 5);
    am_shape padding = am_shape_of((kernel - 1) / 2);
    am_value h = am_transpose(b, x, 1, 2);
    if (kernel % 2 == 0) am_config_fail(c, "speech_decoder_postnet_kernel", "an even number changes lengths");
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        h = am_conv(b, "conv", h, i + 1 < layers ? units : bins, am_shape_of(kernel), AM_NO_BIAS,
                    &(am_convolution_attributes){.padding_before = padding, .padding_after = padding});
        h = am_batch_norm(b, "batch_norm", h, CONVOLUTION_NORM_EPS);
        if (i + 1 < layers) h = am_unary(b, AM_TANH, h);
        am_end_scope(b);
    }
    return am_add(b, x, am_transpose(b, h, 1, 2));
}

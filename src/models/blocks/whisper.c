#include "models/blocks/whisper.h"

#include <inttypes.h>

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "self_attn_layer_norm",
                                        .norm_after = "final_layer_norm",
                                        .up = "fc1",
                                        .down = "fc2"};

am_whisper_encoder am_whisper_encoder_read(const am_config *c)
{
    am_whisper_encoder r = {
        .bins = am_config_size(c, "num_mel_bins", 128),
        .width = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 1280),
        .layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 32),
        .heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 20),
        .ffn_dim = am_config_size(c, am_config_either(c, "encoder_ffn_dim", "intermediate_size"), 5120),
        .positions = am_config_size(c, "max_source_positions", 1500),
        .activation = am_config_activation(c, "activation_function", AM_GELU)};
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.width);
    return r;
}

am_value am_whisper_frames(am_builder *b, int64_t bins, int64_t width)
{
    am_convolution_attributes options = {.padding_before = am_shape_of(1), .padding_after = am_shape_of(1)};
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 1) != bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features have %" PRId64 " bins, expected %" PRId64,
                                    am_dim(b, x, 1), bins));
    x = am_unary(b, AM_GELU, am_conv(b, "conv1", x, width, am_shape_of(3), AM_BIAS, &options));
    options.stride = am_shape_of(2);
    x = am_unary(b, AM_GELU, am_conv(b, "conv2", x, width, am_shape_of(3), AM_BIAS, &options));
    return am_transpose(b, x, 1, 2);
}

/* The means of frames 0 and 1, 2 and 3 ..: x: [B, T, C] -> [B, T / 2, C]. */
static am_value pooled(am_builder *b, am_value x, const am_pre_norm_options *options)
{
    (void)options;
    am_pool_attributes pairs = {.fn = AM_POOL_AVERAGE, .kernel = am_shape_of(2), .stride = am_shape_of(2)};
    return am_transpose(b, am_pool(b, am_transpose(b, x, 1, 2), &pairs), 1, 2);
}

static void check_frames(am_builder *b, const am_whisper_encoder *e)
{
    int64_t frames = am_dim(b, am_input(b, "input_features", 3), 2), expected = 2 * e->positions;
    if (am_builder_failed(b) || frames == expected || (e->odd_lengths && frames == expected - 1)) return;
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                "input_features have %" PRId64 " frames, expected %" PRId64
                                " (twice max_source_positions)",
                                frames, expected));
}

am_value am_whisper_encode(am_builder *b, const am_whisper_encoder *e)
{
    check_frames(b, e);
    am_value x = am_whisper_frames(b, e->bins, e->width);
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, e->positions), 1, 0, 1);
    x = am_add(b, x, am_embedding(b, "embed_positions", rows, e->positions, e->width));
    am_pre_norm_options options = {
        .num_hidden_layers = e->layers,
        .intermediate_size = e->ffn_dim,
        .hidden_act = e->activation,
        .layer_norm_eps = LAYER_NORM_EPS,
        .attention = {.heads = e->heads, .no_k_bias = true, .mask = e->mask, .bias = e->bias},
        .names = &names,
        .hidden_states = e->hidden_states,
        .final_norm = "layer_norm",
        .final_norm_eps = LAYER_NORM_EPS,
        .out_states = e->states,
        .behind = e->pools ? pooled : NULL};
    return am_pre_norm_layers(b, x, &options);
}

int64_t am_whisper_pooled_length(int64_t frames)
{
    return (frames + 1) / 2 / 2;
}

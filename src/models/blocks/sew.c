#include "models/blocks/sew.h"

#include <inttypes.h>

const am_wave_encoder am_sew_wave = {.layers = 13,
                                     .dims = {64, 128, 128, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512},
                                     .kernels = {10, 3, 1, 3, 1, 3, 1, 3, 1, 2, 1, 2, 1},
                                     .strides = {5, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1}};

void am_sew_adjust(const am_config *c, am_wav2vec2_options *o)
{
    if (o->add_adapter) am_config_fail(c, "add_adapter", "this model has no adapter");
    o->add_adapter = o->do_stable_layer_norm = false;
}

am_wav2vec2_frames am_sew_frames_normed(am_builder *b, const am_wav2vec2_options *o, double eps)
{
    am_wav2vec2_frames r = {0};
    am_value lengths = am_attended_lengths(b);
    am_scope(b, "feature_extractor");
    am_value x = am_wave_encode(b, am_input(b, "input_values", 2), &o->wave);
    am_end_scope(b);
    if (lengths.id) r.mask = am_wav2vec2_frame_mask(b, am_wave_lengths(b, lengths, &o->wave), am_dim(b, x, 1));
    r.x = r.features = am_layer_norm(b, "layer_norm", x, eps);
    if (am_dim(b, x, 2) != o->hidden_size) r.x = am_linear(b, "feature_projection", r.x, o->hidden_size, AM_BIAS);
    return r;
}

/* x: [B, T, ..] -> [B, T / factor, factor, ..]; the frames behind are left out. */
static am_value groups_of(am_builder *b, am_value x, int64_t factor)
{
    am_shape s = am_shape_of_value(b, x), grouped = {.rank = s.rank + 1, .dims = {s.dims[0], s.dims[1] / factor}};
    grouped.dims[2] = factor;
    for (int i = 2; i < s.rank; i++) grouped.dims[i + 1] = s.dims[i];
    return am_reshape(b, am_slice(b, x, 1, 0, grouped.dims[1] * factor), grouped);
}

/* Averages and their positions: x: [B, T, C] -> [B, T / factor, C]. */
static am_value squeeze(am_builder *b, am_value x, int64_t factor, const am_wav2vec2_options *o)
{
    am_value places = am_positional_convolution(b, "pos_conv_embed.conv", x, o->num_conv_pos_embeddings, factor,
                                                o->num_conv_pos_embedding_groups, o->wave.activation);
    x = am_reduce(b, AM_REDUCE_MEAN, groups_of(b, x, factor), am_shape_of(2), false);
    return am_add(b, x, am_slice(b, places, 1, 0, am_dim(b, x, 1)));
}

/* x: [B, T / factor, C] -> [B, T, C] */
static am_value spread(am_builder *b, am_value x, int64_t T, int64_t factor, const am_wav2vec2_options *o)
{
    int64_t B = am_dim(b, x, 0), given = am_dim(b, x, 1) * factor, C = o->hidden_size;
    x = am_linear_activation(b, "upsample.projection", x, C * factor, AM_BIAS, o->wave.activation);
    x = am_reshape(b, x, am_shape_of(B, given, C));
    return given < T ? am_pad_zero(b, x, 1, 0, T - given) : x;
}

am_value am_sew_encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states,
                        am_sew_layers *layers)
{
    int64_t factor = am_config_size(am_model_config(b), "squeeze_factor", 2), T = am_dim(b, x, 1);
    if (x.id && T < factor) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " frames are less than one squeezed one of %" PRId64 " (squeeze_factor)",
                                    T, factor));
        return AM_NONE;
    }
    x = squeeze(b, am_zero_outside(b, x, mask), factor, o);
    if (mask.id) mask = am_reduce(b, AM_REDUCE_ANY, groups_of(b, mask, factor), am_shape_of(2), false);
    return spread(b, layers(b, x, mask, o, states), T, factor, o);
}

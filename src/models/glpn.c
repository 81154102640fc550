/* GLPN: a mix transformer, and a decoder that brings its maps from the coarsest to the finest, each weighed pixel by
   pixel against what came before; depths are parts of the largest. transformers: models/glpn/modeling_glpn.py */
#include "models/blocks/mix_transformer.h"

#include <inttypes.h>

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

/* Convolution NAME of 3 x 3 places that keeps the size. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.padding_before = one, .padding_after = one};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_BIAS, &options);
}

static am_value twice(am_builder *b, am_value x)
{
    return am_image_resized(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
}

static void glpn_model(am_builder *b)
{
    am_mix_options o = am_mix_options_read(am_model_config(b));
    am_value states[AM_STAGES_LIMIT];
    am_output(b, "last_hidden_state", am_mix_body(b, &o, "", states));
}

static am_value conv_layer(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_scope(b, "%s", name);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "1", conv(b, "0", x, out), BATCH_NORM_EPS));
    am_end_scope(b);
    return x;
}

/* own and coarser: [B, C, H, W], each weighed by what both show. */
static am_value fuse(am_builder *b, am_value own, am_value coarser)
{
    int64_t C = am_dim(b, own, 1);
    am_scope(b, "fusion");
    am_value x = conv_layer(b, "convolutional_layer1", am_concat2(b, own, coarser, 1), C);
    x = conv_layer(b, "convolutional_layer2", x, C / 2);
    x = am_unary(b, AM_SIGMOID, conv(b, "convolutional_layer3", x, 2));
    am_end_scope(b);
    return am_add(b, am_mul(b, own, am_slice(b, x, 1, 0, 1)), am_mul(b, coarser, am_slice(b, x, 1, 1, 2)));
}

/* maps: the encoder's, the finest first; out receives as many, the coarsest first. */
static void decode(am_builder *b, const am_value *maps, int count, int64_t C, am_value *out)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_value x = maps[count - 1 - i];
        am_scope(b, "decoder.stages.%d", i);
        if (am_dim(b, x, 1) != C)
            x = am_conv(b, "convolution", x, C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
        out[i] = twice(b, i ? fuse(b, x, out[i - 1]) : x);
        am_end_scope(b);
    }
    out[count - 1] = twice(b, out[count - 1]);
}

static void for_depth_estimation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_mix_options o = am_mix_options_read(c);
    int64_t C = am_config_size(c, "decoder_hidden_size", 64), i = am_config_int(c, "head_in_index", -1);
    double max_depth = am_config_real(c, "max_depth", 10);
    am_value states[AM_STAGES_LIMIT], maps[AM_STAGES_LIMIT];
    int count = o.stages.count;
    if (i < -count || i >= count) am_config_fail(c, "head_in_index", "%" PRId64 " is none of %d maps", i, count);
    if (C < 2) am_config_fail(c, "decoder_hidden_size", "is less than 2");
    am_mix_body(b, &o, "glpn", states);
    if (i < -count || i >= count || C < 2 || am_builder_failed(b)) return;
    decode(b, states, count, C, maps);
    am_scope(b, "head.head");
    am_value x = am_unary(b, AM_RELU, conv(b, "0", maps[i < 0 ? i + count : i], C));
    x = am_unary(b, AM_SIGMOID, conv(b, "2", x, 1));
    am_end_scope(b);
    am_output(b, "predicted_depth", am_mul_number(b, am_squeeze(b, x, 1), max_depth));
}

static const am_architecture architectures[] = {
    {"GLPNModel", glpn_model, "image-feature-extraction", 0},
    {"GLPNForDepthEstimation", for_depth_estimation, "depth-estimation", 0},
    {0},
};

const am_model_type am_model_glpn = {.name = "glpn", .base_prefix = "glpn", .architectures = architectures};

/* ViTMatte: the last map of a backbone is enlarged step by step beside convolutions of the image itself, down to how
   opaque each pixel is. transformers: models/vitmatte/modeling_vitmatte.py */
#include "models/blocks/feature_maps.h"

enum { HEAD_CHANNELS = 16 }; /* not configurable */

static const double HEAD_NORM_EPS = 1e-5; /* the same */

typedef struct matte_config {
    int64_t stream[AM_STAGES_LIMIT], fusion[AM_STAGES_LIMIT + 1];
    int count; /* of stream; fusion has one more */
    double batch_norm_eps;
} matte_config;

static matte_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    matte_config r = {.batch_norm_eps = am_config_real(c, "batch_norm_eps", 1e-5)};
    r.count =
        am_config_sizes(c, "convstream_hidden_sizes", r.stream, AM_STAGES_LIMIT, (const int64_t[]){48, 96, 192}, 3);
    int fusion = am_config_sizes(c, "fusion_hidden_sizes", r.fusion, AM_STAGES_LIMIT + 1,
                                 (const int64_t[]){256, 128, 64, 32}, 4);
    if (fusion != r.count + 1)
        am_config_fail(c, "fusion_hidden_sizes", "expected one more than convstream_hidden_sizes, %d", r.count + 1);
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    return r;
}

/* relu(batch_norm(conv(x))) below the scope. */
static am_value conv_layer(am_builder *b, const matte_config *c, am_value x, int64_t out, int64_t stride)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = one, .padding_after = one};
    x = am_conv(b, "conv", x, out, am_shape_of(3, 3), AM_NO_BIAS, &options);
    return am_unary(b, AM_RELU, am_batch_norm(b, "batch_norm", x, c->batch_norm_eps));
}

static am_value fuse(am_builder *b, const matte_config *c, am_value x, am_value detail, int64_t out)
{
    x = am_image_resized(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
    return conv_layer(b, c, am_concat2(b, detail, x, 1), out, 1);
}

static am_value head(am_builder *b, am_value x)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes same = {.padding_before = one, .padding_after = one};
    am_scope(b, "matting_head.matting_convs");
    x = am_conv(b, "0", x, HEAD_CHANNELS, am_shape_of(3, 3), AM_BIAS, &same);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "1", x, HEAD_NORM_EPS));
    x = am_conv(b, "3", x, 1, one, AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    return am_unary(b, AM_SIGMOID, x);
}

static void for_image_matting(am_builder *b)
{
    matte_config c = read_config(b);
    am_value details[AM_STAGES_LIMIT + 1] = {am_input(b, "pixel_values", 4)};
    if (am_builder_failed(b)) return;
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps(b, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value x = maps.maps[maps.count - 1];
    am_scope(b, "decoder");
    for (int i = 0; i < c.count; i++) {
        am_scope(b, "convstream.convs.%d", i);
        details[i + 1] = conv_layer(b, &c, details[i], c.stream[i], 2);
        am_end_scope(b);
    }
    for (int i = 0; i <= c.count && !am_builder_failed(b); i++) {
        am_scope(b, "fusion_blocks.%d.conv", i);
        x = fuse(b, &c, x, details[c.count - i], c.fusion[i]);
        am_end_scope(b);
    }
    x = head(b, x);
    am_end_scope(b);
    am_output(b, "alphas", x);
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {{"VitMatteForImageMatting", for_image_matting, NULL, 0}, {0}};

const am_model_type am_model_vitmatte = {.name = "vitmatte", .architectures = architectures};

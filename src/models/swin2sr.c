/* Swin2SR: stages of Swin V2's layers over all pixels of an image, each with a convolution behind it and its input
   added; an upsampler makes the larger image. transformers: models/swin2sr/modeling_swin2sr.py */
#include "models/blocks/swin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FEATURES = 64, WINDOW_LIMIT = 64, UPSCALE_LIMIT = 64 };

static const double PATCH_NORM_EPS = 1e-5, FIRST_SLOPE = 0.01, SLOPE = 0.2;
static const float rgb_mean[] = {0.4488f, 0.4371f, 0.404f};

typedef struct swin2sr_config {
    int64_t num_channels, channels_out, embed_dim, upscale, grid;
    am_swin_stages stages;
    double img_range;
    const char *upsampler, *connection;
} swin2sr_config;

static void check(const am_config *c, swin2sr_config *r, const am_image_options *image)
{
    for (int i = 0; i < r->stages.count; i++)
        am_config_check_divides(c, "num_heads", r->stages.heads[i], "embed_dim", r->embed_dim);
    if (r->stages.window_size > WINDOW_LIMIT) {
        am_config_fail(c, "window_size", "more than %d", WINDOW_LIMIT);
        r->stages.window_size = 1;
    }
    if (image->patch_size[0] != 1 || image->patch_size[1] != 1)
        am_config_unsupported(c, "patch_size", "this class gives images of one token a pixel");
    if (am_config_flag(c, "use_absolute_embeddings", false))
        am_config_unsupported(c, "use_absolute_embeddings", "this class has one position more than tokens");
    if (strcmp(r->connection, "1conv") != 0 && strcmp(r->connection, "3conv") != 0)
        am_config_unsupported(c, "resi_connection", "this class has \"1conv\" and \"3conv\"");
    if (!(r->img_range > 0)) am_config_fail(c, "img_range", "expected a number above 0");
    if (r->upscale > UPSCALE_LIMIT) {
        am_config_fail(c, "upscale", "more than %d", UPSCALE_LIMIT);
        r->upscale = 1;
    }
}

static swin2sr_config read_config(am_builder *b)
{
    static const int64_t six[] = {6, 6, 6, 6, 6, 6};
    const am_config *c = am_model_config(b);
    am_image_options image = am_image_options_read(c, 64, 1);
    swin2sr_config r = {
        .num_channels = image.num_channels,
        .channels_out = am_config_size(c, "num_channels_out", image.num_channels),
        .embed_dim = am_config_size(c, am_config_either(c, "embed_dim", "hidden_size"), 180),
        .upscale = am_config_size(c, "upscale", 2),
        .grid = image.image_size[0] / image.patch_size[0],
        .stages = {.window_size = am_config_size(c, "window_size", 8),
                   .mlp_ratio = am_config_real(c, "mlp_ratio", 2),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .no_qkv_bias = !am_config_flag(c, "qkv_bias", true)},
        .img_range = am_config_real(c, "img_range", 1),
        .upsampler = am_config_text(c, "upsampler", "pixelshuffle"),
        .connection = am_config_text(c, "resi_connection", "1conv"),
    };
    r.stages.count = am_stage_depths(c, six, 6, r.stages.depths);
    am_stage_sizes(c, am_config_either(c, "num_heads", "num_attention_heads"), r.stages.count, 1, six, 6,
                   r.stages.heads);
    check(c, &r, &image);
    return r;
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding};
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), AM_BIAS, &options);
}

/* What is taken from pixels before and added to them in the end: zeros, or three colours' means. */
static am_value mean_of(am_builder *b, const swin2sr_config *c)
{
    if (c->num_channels != 3 || c->channels_out != 3) return AM_NONE;
    return am_constant_copy(b, AM_F32, am_shape_of(1, 3, 1, 1), rgb_mean);
}

static am_value connect(am_builder *b, am_value x, const swin2sr_config *c)
{
    int64_t C = am_dim(b, x, 1);
    if (strcmp(c->connection, "1conv") == 0) return conv(b, "conv", x, C, 3);
    if (C < 4) am_config_fail(am_model_config(b), "embed_dim", "a fourth of it is nothing");
    x = am_leaky_relu(b, conv(b, "conv.0", x, C / 4, 3), SLOPE);
    x = am_leaky_relu(b, conv(b, "conv.2", x, C / 4, 1), SLOPE);
    return conv(b, "conv.4", x, C, 3);
}

/* x: [B, height * width, C]. Windows are as large as images of the configuration allow. */
static am_value stage(am_builder *b, am_value x, const swin2sr_config *c, const int64_t size[2], int i)
{
    int64_t side = c->grid < c->stages.window_size ? c->grid : c->stages.window_size,
            shift = c->grid <= side ? 0 : c->stages.window_size / 2;
    am_windows windows = am_windows_of(size[0], size[1], side < 1 ? 1 : side, 0), shifted = windows;
    am_value before = x;
    if (shift) shifted = am_windows_of(size[0], size[1], side, shift);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        x = am_swin_second_layer(b, x, &c->stages, i, j % 2 ? &shifted : &windows);
        am_end_scope(b);
    }
    x = connect(b, am_tokens_image(b, x, size[0], size[1]), c);
    x = am_image_tokens(b, conv(b, "patch_embed.projection", x, c->embed_dim, 1));
    return am_add(b, x, before);
}

/* pixels: [B, channels, H, W] -> [B, C, H, W] */
static am_value body(am_builder *b, const swin2sr_config *c, const char *prefix, am_value pixels)
{
    const int64_t size[] = {am_dim(b, pixels, 2), am_dim(b, pixels, 3)};
    int64_t window = c->stages.window_size;
    am_value mean = mean_of(b, c), x = mean.id ? am_sub(b, pixels, mean) : pixels;
    if (!am_builder_failed(b) && (size[0] % window != 0 || size[1] % window != 0))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has images of %" PRId64 " x %" PRId64
                                    " pixels, expected multiples of %" PRId64 " (window_size)",
                                    size[0], size[1], window));
    am_scope(b, "%s", prefix);
    am_value embedded = conv(b, "first_convolution", am_mul_number(b, x, c->img_range), c->embed_dim, 3);
    am_scope(b, "embeddings.patch_embeddings");
    x = am_image_tokens(b, conv(b, "projection", embedded, c->embed_dim, 1));
    x = am_layer_norm(b, "layernorm", x, PATCH_NORM_EPS);
    am_end_scope(b);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c->stages.count; i++) {
        am_scope(b, "encoder.stages.%d", i);
        x = stage(b, x, c, size, i);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    x = am_tokens_image(b, am_layer_norm(b, "layernorm", x, c->stages.layer_norm_eps), size[0], size[1]);
    x = am_add(b, conv(b, "conv_after_body", x, c->embed_dim, 3), embedded);
    am_end_scope(b);
    return x;
}

static void swin2sr_model(am_builder *b)
{
    swin2sr_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, "", am_pixel_values(b, c.num_channels)));
}

/* --- upsamplers --- */

static bool is(const swin2sr_config *c, const char *upsampler)
{
    return strcmp(c->upsampler, upsampler) == 0;
}

/* By powers of two, or by three. */
static am_value shuffle(am_builder *b, am_value x, const swin2sr_config *c)
{
    char name[64];
    int64_t C = am_dim(b, x, 1);
    if (c->upscale == 3) return am_pixel_shuffle(b, conv(b, "upsample.convolution", x, 9 * C, 3), 3);
    if (c->upscale & (c->upscale - 1))
        am_config_fail(am_model_config(b), "upscale", "expected a power of two, or three");
    for (int i = 0; (int64_t)1 << (i + 1) <= c->upscale; i++) {
        snprintf(name, sizeof name, "upsample.convolution_%d", i);
        x = am_pixel_shuffle(b, conv(b, name, x, 4 * C, 3), 2);
    }
    return x;
}

static am_value doubled(am_builder *b, am_value x)
{
    return am_resize(b, x,
                     &(am_resize_attributes){.size = am_shape_of(2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3)),
                                             .mode = AM_RESIZE_NEAREST});
}

static am_value nearest(am_builder *b, am_value x, const swin2sr_config *c)
{
    if (c->upscale != 4) am_config_fail(am_model_config(b), "upscale", "nearest+conv is for 4");
    x = am_leaky_relu(b, conv(b, "conv_up1", doubled(b, x), FEATURES, 3), SLOPE);
    x = am_leaky_relu(b, conv(b, "conv_up2", doubled(b, x), FEATURES, 3), SLOPE);
    return am_leaky_relu(b, conv(b, "conv_hr", x, FEATURES, 3), SLOPE);
}

/* A small image on the way, and beside its features those of the image, resized. */
static am_value with_small_image(am_builder *b, am_value x, const swin2sr_config *c, am_value pixels)
{
    am_resize_attributes larger = {
        .size = am_shape_of(am_dim(b, pixels, 2) * c->upscale, am_dim(b, pixels, 3) * c->upscale),
        .mode = AM_RESIZE_CUBIC};
    am_value resized = conv(b, "conv_bicubic", am_resize(b, pixels, &larger), FEATURES, 3);
    x = conv(b, "conv_aux", x, c->num_channels, 3);
    x = am_leaky_relu(b, conv(b, "conv_after_aux.0", x, FEATURES, 3), FIRST_SLOPE);
    return am_add(b, shuffle(b, x, c), resized);
}

static am_value upsample(am_builder *b, am_value x, const swin2sr_config *c, am_value pixels)
{
    if (is(c, "pixelshuffledirect"))
        return am_pixel_shuffle(b, conv(b, "conv", x, c->upscale * c->upscale * c->channels_out, 3), c->upscale);
    x = am_leaky_relu(b, conv(b, "conv_before_upsample", x, FEATURES, 3), FIRST_SLOPE);
    if (is(c, "pixelshuffle")) x = shuffle(b, x, c);
    else if (is(c, "nearest+conv")) x = nearest(b, x, c);
    else x = with_small_image(b, x, c, pixels);
    return conv(b, "final_convolution", x, c->channels_out, 3);
}

static void for_image_super_resolution(am_builder *b)
{
    swin2sr_config c = read_config(b);
    am_value pixels = am_pixel_values(b, c.num_channels), x = body(b, &c, "swin2sr", pixels), mean = mean_of(b, &c);
    if (is(&c, "pixelshuffle") || is(&c, "pixelshuffle_aux") || is(&c, "pixelshuffledirect") ||
        is(&c, "nearest+conv")) {
        am_scope(b, "upsample");
        x = upsample(b, x, &c, pixels);
        am_end_scope(b);
    } else x = am_add(b, pixels, conv(b, "final_convolution", x, c.channels_out, 3));
    x = am_mul_number(b, x, 1 / c.img_range);
    am_output(b, "reconstruction", mean.id ? am_add(b, x, mean) : x);
}

static const am_architecture architectures[] = {
    {"Swin2SRModel", swin2sr_model, NULL, 0},
    {"Swin2SRForImageSuperResolution", for_image_super_resolution, "image-to-image", 0},
    {0},
};

const am_model_type am_model_swin2sr = {.name = "swin2sr", .base_prefix = "swin2sr", .architectures = architectures};

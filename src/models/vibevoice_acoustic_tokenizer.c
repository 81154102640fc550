/* VibeVoice's tokenizer of sounds: layers of ConvNeXt over time that look back only, a wave shortened by convolutions
   to latents, and the same backwards. transformers:
   models/vibevoice_acoustic_tokenizer/modeling_vibevoice_acoustic_tokenizer.py */
#include "models/blocks/layers.h"

#include <inttypes.h>

enum { RATIOS_LIMIT = 24, DEPTH_LIMIT = 1024 };

typedef struct tokenizer {
    int64_t channels, width, kernel, filters, expansion;
    int ratio_count;
    int64_t ratios[RATIOS_LIMIT], depths[RATIOS_LIMIT + 1]; /* ratio_count + 1 depths */
    am_unary_fn hidden_act;
    double eps;
} tokenizer;

static tokenizer read_config(const am_config *c)
{
    static const int64_t ratios[] = {2, 2, 4, 5, 5, 8}, depths[] = {3, 3, 3, 3, 3, 3, 8};
    tokenizer r = {.channels = am_config_size(c, "channels", 1),
                   .width = am_config_size(c, "hidden_size", 64),
                   .kernel = am_config_size(c, "kernel_size", 7),
                   .filters = am_config_size(c, "num_filters", 32),
                   .expansion = am_config_size(c, "ffn_expansion", 4),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .eps = am_config_real(c, "rms_norm_eps", 1e-5)};
    r.ratio_count = am_config_sizes(c, "downsampling_ratios", r.ratios, RATIOS_LIMIT, ratios, 6);
    int count = am_config_sizes(c, "depths", r.depths, RATIOS_LIMIT + 1, depths, 7);
    if (count != r.ratio_count + 1)
        am_config_fail(c, "depths", "%d numbers, expected one more than downsampling_ratios, %d", count, r.ratio_count);
    for (int i = 0; i < count; i++)
        if (r.depths[i] > DEPTH_LIMIT) am_config_fail(c, "depths", "expected %d or fewer", DEPTH_LIMIT);
    for (int i = 0; i < r.ratio_count; i++)
        if (r.ratios[i] > 65536) am_config_fail(c, "downsampling_ratios", "expected 65536 or less");
    if (r.filters > INT32_MAX >> r.ratio_count || r.expansion > INT32_MAX / (r.filters << r.ratio_count))
        am_config_fail(c, "num_filters", "%" PRId64 " channels become too many", r.filters);
    return r;
}

/* Convolution NAME.conv that looks back only: x: [B, C, T] -> [B, out, T / stride]. */
static am_value convolved(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride,
                          int64_t groups)
{
    am_convolution_attributes options = {.stride = am_shape_of(stride),
                                         .padding_before = am_shape_of(kernel - stride),
                                         .padding_after = am_shape_of(0),
                                         .groups = groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "conv", x, out, am_shape_of(kernel), AM_BIAS, &options);
    am_end_scope(b);
    return x;
}

/* x + h times the weight of that name, of each channel: x, h: [B, T, C]. */
static am_value add_scaled(am_builder *b, am_value x, am_value h, const char *scale)
{
    return am_add(b, x, am_mul(b, h, am_cast(b, am_weight(b, scale, am_shape_of(am_dim(b, x, 2))), AM_F32)));
}

/* x: [B, C, T] */
static am_value layer(am_builder *b, am_value x, const tokenizer *t)
{
    int64_t C = am_dim(b, x, 1);
    x = am_transpose(b, x, 1, 2);
    am_value h = am_transpose(b, am_rms_norm(b, "norm", x, t->eps, 0), 1, 2);
    x = add_scaled(b, x, am_transpose(b, convolved(b, "mixer", h, C, t->kernel, 1, C), 1, 2), "gamma");
    h = am_linear_activation(b, "ffn.linear1", am_rms_norm(b, "ffn_norm", x, t->eps, 0), t->expansion * C, AM_BIAS,
                             t->hidden_act);
    x = add_scaled(b, x, am_linear(b, "ffn.linear2", h, C, AM_BIAS), "ffn_gamma");
    return am_transpose(b, x, 1, 2);
}

static am_value stage(am_builder *b, am_value x, int64_t depth, const tokenizer *t)
{
    for (int i = 0; i < depth && !am_builder_failed(b); i++) {
        am_scope(b, "stage.%d", i);
        x = layer(b, x, t);
        am_end_scope(b);
    }
    return x;
}

static am_value stem(am_builder *b, am_value x, int64_t C, int64_t depth, const tokenizer *t)
{
    am_scope(b, "stem");
    x = stage(b, convolved(b, "conv", x, C, t->kernel, 1, 1), depth, t);
    am_end_scope(b);
    return x;
}

/* x: [B, channels, L] below the scope -> latents: [B, T, width] */
static am_value encode(am_builder *b, am_value x, const tokenizer *t)
{
    x = stem(b, x, t->filters, t->depths[0], t);
    for (int i = 0; i < t->ratio_count && !am_builder_failed(b); i++) {
        am_scope(b, "conv_layers.%d", i);
        x = convolved(b, "conv", x, t->filters << (i + 1), 2 * t->ratios[i], t->ratios[i], 1);
        x = stage(b, x, t->depths[i + 1], t);
        am_end_scope(b);
    }
    return am_transpose(b, convolved(b, "head", x, t->width, t->kernel, 1, 1), 1, 2);
}

/* Transposed convolution convtr.convtr to `out` channels, ratio times as long: x: [B, C, T]. */
static am_value lengthened(am_builder *b, am_value x, int64_t out, int64_t ratio)
{
    am_scope(b, "convtr.convtr");
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, 2 * ratio));
    x = am_conv_transpose(b, x, weight, am_weight(b, "bias", am_shape_of(out)),
                          &(am_convolution_attributes){.stride = am_shape_of(ratio)});
    am_end_scope(b);
    return am_slice(b, x, 2, 0, -ratio);
}

/* x: [B, width, T] below the scope -> [B, channels, L]; depths are in the decoder's order. */
static am_value decode(am_builder *b, am_value x, const int64_t *depths, const tokenizer *t)
{
    int n = t->ratio_count;
    x = stem(b, x, t->filters << n, depths[0], t);
    for (int i = 0; i < n && !am_builder_failed(b); i++) {
        am_scope(b, "conv_layers.%d", i);
        x = lengthened(b, x, t->filters << (n - 1 - i), t->ratios[n - 1 - i]);
        x = stage(b, x, depths[i + 1], t);
        am_end_scope(b);
    }
    return convolved(b, "head", x, t->channels, t->kernel, 1, 1);
}

/* The input NAME: [B, C, T]. */
static am_value channels_input(am_builder *b, const char *name, int64_t C)
{
    am_value x = am_input(b, name, 3);
    if (x.id && am_dim(b, x, 1) != C)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s has %" PRId64 " channels, expected %" PRId64, name,
                                    am_dim(b, x, 1), C));
    return x;
}

static void encoder_model(am_builder *b)
{
    tokenizer t = read_config(am_model_config(b));
    am_output(b, "latents", encode(b, channels_input(b, "hidden_states", t.channels), &t));
}

static void decoder_model(am_builder *b)
{
    tokenizer t = read_config(am_model_config(b));
    am_output(b, "audio", decode(b, channels_input(b, "hidden_states", t.width), t.depths, &t));
}

/* Without noise, as with sample=False. */
static void tokenizer_model(am_builder *b)
{
    tokenizer t = read_config(am_model_config(b));
    int64_t depths[RATIOS_LIMIT + 1];
    for (int i = 0; i <= t.ratio_count; i++) depths[i] = t.depths[t.ratio_count - i];
    am_scope(b, "encoder");
    am_value latents = encode(b, channels_input(b, "input_values", t.channels), &t);
    am_end_scope(b);
    am_scope(b, "decoder");
    am_output(b, "audio", decode(b, am_transpose(b, latents, 1, 2), depths, &t));
    am_end_scope(b);
    am_output(b, "latents", latents);
}

static const am_architecture architectures[] = {
    {"VibeVoiceAcousticTokenizerModel", tokenizer_model, NULL, 0},
    {"VibeVoiceAcousticTokenizerEncoderModel", encoder_model, NULL, 0},
    {"VibeVoiceAcousticTokenizerDecoderModel", decoder_model, NULL, 0},
    {0},
};

const am_model_type am_model_vibevoice_acoustic_tokenizer = {
    .name = "vibevoice_acoustic_tokenizer vibevoice_acoustic_tokenizer_encoder vibevoice_acoustic_tokenizer_decoder",
    .architectures = architectures};
